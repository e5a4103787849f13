import { isQuernError } from '@quern/artifact'
import { printKernel } from '@quern/core-ir'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { legalise } from '../legalise/legalise.ts'
import type { LoweredRegion } from '../lower/lowered-region.ts'
import { convRegion, mapRegion, matmulRegion, rowRegion } from '../testing/regions.ts'
import { type Symbols, outputsOf } from '../testing/run.ts'
import { allocsOf } from './locate.ts'
import { primitives } from './primitives.ts'
import { type Schedule, scheduleOf } from './schedule.ts'
import { parseTrace, printTrace, replay } from './trace.ts'
import { type For, visitStmts } from './tree.ts'

const regions: readonly { name: string; region: LoweredRegion; symbols: Symbols }[] = [
  { name: 'matmul', region: matmulRegion(5, 7, 6), symbols: {} },
  { name: 'matmul of symbolic size', region: matmulRegion('m', 'n', 'k'), symbols: { m: 4, n: 9, k: 3 } },
  { name: 'row reduction', region: rowRegion('m', 12), symbols: { m: 5 } },
  { name: 'elementwise', region: mapRegion('n'), symbols: { n: 37 } },
  { name: 'elementwise of 16', region: mapRegion(16), symbols: {} },
  { name: 'padded convolution', region: convRegion(2, 2, 'h', 6), symbols: { h: 4 } },
]

/** Draws a primitive with arguments that make sense at first sight. */
const tryOne = (s: Schedule, pick: (n: number) => number): Schedule => {
  const loops: For[] = []
  visitStmts(s.kernel.body, x => {
    if (x.kind === 'for') loops.push(x)
  })
  const oneOf = <T>(list: readonly T[]): T => {
    const found = list[pick(list.length)]
    if (found === undefined) throw new Error('nothing to pick from')
    return found
  }
  const axis = (): string => oneOf(loops).axis
  const child = (parent: string): string => {
    const inner = loops.find(l => l.axis === parent)?.body.find((x): x is For => x.kind === 'for')
    return inner?.axis ?? axis()
  }
  const locals = allocsOf(s.kernel.body).map(a => a.buffer.name)
  const buffer = (): string => oneOf([...s.kernel.params.map(p => p.name), ...locals])
  const tries: readonly (() => Schedule)[] = [
    () =>
      primitives.split(s, axis(), oneOf([2, 3, 4, 5]), {
        tail: oneOf(['exact', 'guard', 'peel', 'short', 'overlap', 'pad'] as const),
      }),
    () => {
      const a = axis()
      return primitives.reorder(s, child(a), a)
    },
    () => {
      const a = axis(),
        b = child(a)
      return primitives.reorder(s, child(b), b, a)
    },
    () => {
      const a = axis()
      return primitives.fuse(s, a, child(a))
    },
    () => primitives.unroll(s, axis()),
    () => primitives.vectorize(s, axis()),
    () =>
      primitives.vectorize(primitives.split(s, axis(), 4, { tail: oneOf(['guard', 'peel', 'pad'] as const) }), axis()),
    () => primitives.parallel(s, axis()),
    () => primitives.bind(s, axis(), oneOf(['workgroup.x', 'workgroup.y', 'thread.x', 'thread.y'] as const)),
    () =>
      primitives.stage(s, buffer(), axis(), {
        space: oneOf(['register', 'private'] as const),
        fill: 0,
        around: pick(2) === 1,
        update: pick(2) === 1,
      }),
    () => primitives.computeAt(s, axis(), axis()),
    () => primitives.computeAt(s, oneOf(s.stages).name, axis()),
    () => primitives.inline(s, oneOf(locals)),
    () => {
      const a = axis()
      return primitives.rfactor(s, child(a), a)
    },
    () => primitives.partition(s, axis()),
    () => primitives.hoist(s, buffer(), axis()),
    () => primitives.hoistIf(s, axis()),
    () => primitives.fission(s, axis()),
    () => primitives.fission(s, axis(), [], 2),
    () => primitives.setSpace(s, oneOf(locals), oneOf(['register', 'private'] as const)),
    () => primitives.tensorize(s, axis(), 'madd'),
    () => {
      const p = oneOf([
        ...s.kernel.params.filter(x => x.access === 'read'),
        ...allocsOf(s.kernel.body).map(a => a.buffer),
      ])
      const d = pick(p.shape.length)
      return primitives.layout(s, p.name, [
        { dim: d, part: 'block', by: 4 },
        ...p.shape.map((_, i) => ({ dim: i })).filter(x => x.dim !== d),
        { dim: d, part: 'inside', by: 4 },
      ])
    },
  ]
  return oneOf(tries)()
}

describe.each(regions)('random traces on a $name', ({ region, symbols }) => {
  test('keep the meaning or are refused', () => {
    const expected = outputsOf(region.kernel, symbols)
    const used = new Set<string>()
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 2 ** 30 }), { minLength: 60, maxLength: 120 }), choices => {
        let at = 0
        const pick = (n: number): number => (n === 0 ? 0 : (choices[at++ % choices.length] ?? 0) % n)
        let s = scheduleOf(region, { permits: 'reassociates' })
        for (let step = 0; step < 14 && at < choices.length; step++) {
          try {
            s = tryOne(s, pick)
          } catch (error) {
            if (!isQuernError(error) && !(error instanceof Error && error.message === 'nothing to pick from'))
              throw error
          }
        }
        s.trace.forEach(t => used.add(t.primitive))
        const trace = printTrace(s.trace)
        const options = { layouts: s.layouts, original: region.kernel }
        let stage = 'scheduled'
        try {
          expect(outputsOf(s.kernel, symbols, options)).toEqual(expected)
          stage = 'legalised'
          expect(outputsOf(legalise(s.kernel), symbols, options)).toEqual(expected)
          stage = 'replayed'
          expect(printKernel(replay(region, parseTrace(trace), { permits: 'reassociates' }).kernel)).toBe(
            printKernel(s.kernel),
          )
        } catch (error) {
          throw new Error(
            `${stage}, after\n${trace}\n${printKernel(stage === 'legalised' ? legalise(s.kernel) : s.kernel)}`,
            { cause: error },
          )
        }
      }),
      { numRuns: Number(process.env['QUERN_RUNS'] || 30), endOnFailure: true },
    )
    expect(used.size).toBeGreaterThan(4)
  }, 600_000)
})
