/** @file Holds a random graph on a target against the interpreter, at one size or at several. */
import type { DeviceKind } from '@quern/artifact'
import { isFloat, printGraph } from '@quern/core-ir'
import { expect } from 'vitest'
import type { Draw } from '../../packages/core-ir/src/ops/testing/draw.ts'
import { numbersOf } from '../../packages/core-ir/src/ops/testing/support.ts'
import { randomGraph, rowCounts } from './random-graph.ts'
import { differenceOf, runGraph } from './run-graph.ts'

export const expectRandomGraph = async (device: DeviceKind, d: Draw, threads = 1): Promise<void> => {
  const exact = d.flag(),
    symbolic = d.flag()
  const { graph, inputs, meaning } = randomGraph(d, exact, symbolic)
  const given = (symbolic ? [d.of(...rowCounts), d.of(...rowCounts), 4] : [1]).map(rows => inputs(d, rows))
  const text = printGraph(graph)
  const found = await runGraph(device, graph, given, threads).catch((cause: unknown) => {
    throw new Error(text, { cause })
  })
  given.forEach((tensors, i) => {
    const wanted = meaning(tensors)
    // An output may be a small difference of large values.
    const scale = Object.values(wanted)
      .filter(t => isFloat(t.dtype))
      .flatMap(numbersOf)
      .reduce((most, x) => (Number.isFinite(x) ? Math.max(most, Math.abs(x)) : most), 1)
    for (const { name } of graph.outputs) {
      const tensor = wanted[name]
      const wrong = tensor && differenceOf(name, found[i]?.[name], tensor, scale)
      const shapes = Object.values(tensors).map(t => `[${t.shape.join()}]`)
      if (wrong !== undefined) expect.fail(`run ${i}, of ${shapes.join(' ')}: ${wrong}\n${text}`)
    }
  })
}
