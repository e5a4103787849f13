/** @file The memory of every workload is within a tenth of what is wanted at once at its worst step. */
import { compile } from '@quern/compiler'
import { programOf } from '@quern/model'
import { expect, test } from 'vitest'

const models = import.meta.glob<Parameters<typeof programOf>[0]>('./models/*.model.ts', { import: 'default' })

/** Ends a compilation where the plans are known: nothing is packed. */
class Enough extends Error {}

test.each(Object.entries(models))('%s', async (_, load) => {
  let memory = ''
  const onStage = (name: string, text: string): void => {
    if (name !== 'memory') return
    memory = text
    throw new Enough()
  }
  const ended = await compile(programOf(await load()).graph, 'wasm', { onStage }).catch((error: unknown) => error)
  expect(memory, String(ended)).toContain('live-set lower bound')
  const ratios = [...memory.matchAll(/bytes, ([\d.]+) of the bound/g)].map(([, ratio]) => Number(ratio))
  expect(ratios.length).toBeGreaterThan(0)
  for (const ratio of ratios) expect(ratio, memory).toBeLessThanOrEqual(1.1)
})
