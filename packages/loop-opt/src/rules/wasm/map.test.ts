/** @file Maps whose input and result may share memory mean the same when they do; others may do a block twice. */
import { GraphBuilder, interpretKernel, ix, tensorType } from '@quern/core-ir'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { lowerProgram } from '../../lower-program.ts'
import { inPlacePairs } from '../../memory/in-place.ts'
import { wasmTarget } from '../../target/wasm.ts'
import { asRegion, legalised, programOf } from '../../testing/graphs.ts'
import { inputsOf } from '../../testing/run.ts'

const f32 = (...shape: number[]) => tensorType('f32', shape)

/** x · z + z with a row z, or with a column; transposed, x is read across. */
const mapOf = ([rows, columns]: readonly [number, number], by: 'row' | 'column' | 'all', across: boolean) => {
  const b = new GraphBuilder('g')
  const shape = [rows, columns].map(d => ix.constant(d))
  const x = across
    ? b.one('transpose', [b.input('x', f32(columns, rows))], { perm: [1, 0] })
    : b.input('x', f32(rows, columns))
  const other = b.input('z', { row: f32(columns), column: f32(rows, 1), all: f32(rows, columns) }[by])
  const z = by === 'all' ? other : b.one('broadcast', [other], { shape })
  const graph = b.finish({ y: b.one('add', [b.one('mul', [x, z]), z]) })
  const lowered = lowerProgram(programOf(asRegion(graph)), wasmTarget())
  const [[name, unscheduled] = []] = lowered.unscheduled
  const kernel = legalised(lowered).kernels.get(name ?? '')
  if (unscheduled === undefined || kernel === undefined) throw new Error('a map is one kernel')
  const trace = lowered.traces.get(name ?? '') ?? []
  return { kernel, pairs: inPlacePairs(unscheduled.region.kernel), twice: JSON.stringify(trace).includes('overlap') }
}

const drawn = fc.tuple(
  fc.tuple(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 21 })),
  fc.constantFrom('row', 'column', 'all' as const),
  fc.boolean(),
)

it('maps mean the same where they write over what they read', () => {
  let [shared, twice] = [0, 0]
  fc.assert(
    fc.property(drawn, ([shape, by, across]) => {
      const made = mapOf(shape, by, across)
      if (made.twice) twice++
      for (const [r, w] of made.pairs) {
        const [read, written] = [made.kernel.params[r]?.name ?? '', made.kernel.params[w]?.name ?? '']
        const run = (inPlace: boolean) => {
          const buffers = inputsOf(made.kernel, {}, false)
          const x = buffers[read]
          if (inPlace && x !== undefined) buffers[written] = x
          interpretKernel(made.kernel, { buffers, symbols: {} })
          return buffers[written]
        }
        expect(run(true)).toEqual(run(false))
        shared++
      }
    }),
    { numRuns: 150 },
  )
  // Or one side was never seen.
  expect(shared).toBeGreaterThan(20)
  expect(twice).toBeGreaterThan(5)
})
