/** @file Local simplifications, as rules. */
import { applyRules } from '@quern/core-ir'
import { arithmeticRules } from '../rules/arithmetic.ts'
import { movementRules } from '../rules/movement.ts'
import type { Pass } from './pass.ts'

export const canonicaliseRules = [...movementRules, ...arithmeticRules]

export const canonicalise: Pass = {
  name: 'canonicalise',
  doc: 'Local rules: movement that cancels, arithmetic with neutral elements.',
  run: (graph, context) => {
    const { graph: result, fired } = applyRules(graph, canonicaliseRules, { numerics: context.numerics })
    context.note(fired)
    return result
  },
}
