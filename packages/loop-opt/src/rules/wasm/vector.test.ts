/** @file How many vectors a loop becomes: long chains run several in step, whatever is left over runs too. */
import { type Kernel, GraphBuilder, ix, tensorType, visitStmts } from '@quern/core-ir'
import { expect, test } from 'vitest'
import { lowerProgram } from '../../lower-program.ts'
import { wasmTarget } from '../../target/wasm.ts'
import { asRegion, programOf } from '../../testing/graphs.ts'
import { outputsOf } from '../../testing/run.ts'

const mapOf = (op: string, extent: number | 'n'): { readonly kernel: Kernel; readonly plain: Kernel } => {
  const b = new GraphBuilder(
    'g',
    new Map(extent === 'n' ? [['n', { name: 'n', min: 1, max: undefined, multipleOf: 1 }]] : []),
  )
  const shape = [extent === 'n' ? ix.variable('n') : ix.constant(extent)]
  const x = b.input('x', tensorType('f32', shape))
  const lowered = lowerProgram(programOf(asRegion(b.finish({ y: b.one(op, [x]) }))), wasmTarget())
  const [[name, unscheduled] = []] = lowered.unscheduled
  const kernel = lowered.kernels.get(name ?? '')
  if (unscheduled === undefined || kernel === undefined) throw new Error('a map is one kernel')
  return { kernel, plain: unscheduled.region.kernel }
}
const vectorsIn = (kernel: Kernel): number[] => {
  const found: number[] = []
  visitStmts(kernel.body, s => {
    if (s.kind === 'for' && s.tag === 'vector' && ix.isConst(s.extent)) found.push(s.extent.value)
  })
  return found
}

test('one operation needs no company', () => {
  expect(vectorsIn(mapOf('neg', 64).kernel)).toEqual([4])
})
test.each([
  [64, [16]],
  [16, [16]],
  [12, [4]],
  [3, []],
  ['n', [16]],
] as const)('exp of %s elements runs vectors of %j', (extent, vectors) => {
  expect(vectorsIn(mapOf('exp', extent).kernel)).toEqual(vectors)
})
test.each([1, 5, 16, 19, 23, 37, 48])('exp of %s elements is computed for each of them', extent => {
  const { kernel, plain } = mapOf('exp', extent)
  expect(outputsOf(kernel, {})).toEqual(outputsOf(plain, {}))
  const { kernel: any, plain: plainAny } = mapOf('exp', 'n')
  expect(outputsOf(any, { n: extent })).toEqual(outputsOf(plainAny, { n: extent }))
})
