/** @file Removes nodes that no output depends on. */
import { dropDead } from '@quern/core-ir'
import type { Pass } from './pass.ts'

export const deadCode: Pass = {
  name: 'dead-code',
  doc: 'Nodes that no output and no state depends on are dropped.',
  run: graph => dropDead(graph),
}
