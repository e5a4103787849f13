/** @file Barriers between nests: enough for any order of a team or a workgroup, and none that nothing needs. */
import { interpretKernel, parseKernel, printKernel } from '@quern/core-ir'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { primitives as p } from './primitives.ts'
import { type Schedule, scheduleOf } from './schedule.ts'

const buffers = ['a', 'b', 'c'] as const
type Name = (typeof buffers)[number]
const size = 6

interface Nest {
  readonly to: Name
  readonly from: Name
  /** The element that iteration i reads: its own, or one that another iteration may write. */
  readonly shift: number
}

const axisOf = (at: number): string => `i${at}`
const nests = (list: readonly Nest[]): string =>
  list
    .map(({ to, from, shift }, at) => {
      const axis = axisOf(at)
      const read = shift === 0 ? axis : `(${axis} + ${shift}) % ${size}`
      return `for ${axis} < ${size} { store ${to}[${axis}] = ${from}[${read}] + 1.0 }`
    })
    .join('\n')
const kernelOf = (body: string): Schedule =>
  scheduleOf(parseKernel(`kernel k(${buffers.map(n => `read_write ${n}: f32[${size}]`).join(', ')}) { ${body} }`))

const contexts: readonly {
  name: string
  make: (list: readonly Nest[]) => Schedule
  schedule: (s: Schedule, axes: string[]) => Schedule
}[] = [
  { name: 'a team', make: list => kernelOf(nests(list)), schedule: (s, axes) => p.parallel(s, ...axes) },
  {
    name: 'a workgroup',
    make: list => kernelOf(`for workgroup.x g < 1 { ${nests(list)} }`),
    schedule: (s, axes) => p.bind(s, axes, 'thread.x'),
  },
]

const run = ({ kernel }: Schedule, seed: number) => {
  const data = Object.fromEntries(
    buffers.map((n, at) => [n, Float32Array.from({ length: size }, (_, i) => 10 * at + i)]),
  )
  interpretKernel(kernel, { buffers: data, symbols: {} }, { seed, teamSize: 3 })
  return data
}
const barriersIn = (s: Schedule): number => printKernel(s.kernel).split('barrier').length - 1

describe.each(contexts)('nests of $name', ({ make, schedule }) => {
  const drawn = fc.array(
    fc.record({ to: fc.constantFrom(...buffers), from: fc.constantFrom(...buffers), shift: fc.nat(size - 1) }),
    { minLength: 2, maxLength: 5 },
  )
  // An iteration that reads what another of the same nest writes cannot run beside it.
  const independent = drawn.map(list => list.map(n => (n.from === n.to ? { ...n, shift: 0 } : n)))

  test('mean the same in any order', () => {
    fc.assert(
      fc.property(independent, list => {
        const s = make(list)
        const done = schedule(
          s,
          list.map((_, at) => axisOf(at)),
        )
        for (const seed of [0, 1, 2]) expect(run(done, seed), printKernel(done.kernel)).toEqual(run(s, 0))
      }),
      { numRuns: 150 },
    )
  })

  const nest = (to: Name, from: Name): Nest => ({ to, from, shift: 1 })
  test.each([
    ['read after write', [nest('a', 'c'), nest('b', 'a')], 1],
    ['write after read', [nest('b', 'a'), nest('a', 'c')], 1],
    ['write after write', [nest('a', 'c'), nest('a', 'b')], 1],
    ['read after read', [nest('a', 'c'), nest('b', 'c')], 0],
    ['one for two', [nest('a', 'c'), nest('b', 'c'), nest('c', 'b')], 1],
  ] as const)('%s', (_, list, barriers) => {
    const done = schedule(
      make(list),
      list.map((_n, at) => axisOf(at)),
    )
    expect(barriersIn(done), printKernel(done.kernel)).toBe(barriers)
  })
})
