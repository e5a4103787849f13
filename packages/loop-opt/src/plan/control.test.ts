/** @file `if` and `loop` as nested steps: values that swap, branches that hand operands through, conditions from data. */
import { type HostTensor, parseGraph } from '@quern/core-ir'
import { describe, expect, it } from 'vitest'
import { lowerProgram } from '../lower-program.ts'
import { wasmTarget } from '../target/wasm.ts'
import { webgpuTarget } from '../target/webgpu.ts'
import { difference, legalised, programOf } from '../testing/graphs.ts'

const f32 = (...data: number[]): HostTensor => ({ dtype: 'f32', shape: [data.length], data: Float32Array.from(data) })
const scalar = (value: number): HostTensor => ({ dtype: 'f32', shape: [], data: Float32Array.of(value) })
const i32 = (value: number): HostTensor => ({ dtype: 'i32', shape: [], data: Int32Array.of(value) })
const bool = (value: boolean): HostTensor => ({ dtype: 'bool', shape: [], data: Uint8Array.of(Number(value)) })

const fibonacci = parseGraph(`graph fibonacci(%n: i32[], %a: f32[2], %b: f32[2]) {
  %0, %1 = loop(%n, _, %a, %b, body=graph body(%i: i32[], %x: f32[2], %y: f32[2]) {
    %go = constant(data=[1], dtype=bool) : bool[]
    %0 = add(%x, %y) : f32[2]
    return going = %go, x = %y, y = %0
  }) : f32[2], f32[2]
  return x = %0, y = %1
}`)

const whileBelow = parseGraph(`graph doubling(%x: f32[3], %most: f32[]) {
  %n = constant(data=[20], dtype=i32) : i32[]
  %0, %1 = loop(%n, _, %x, %most, body=graph body(%i: i32[], %a: f32[3], %m: f32[]) {
    %0 = add(%a, %a) : f32[3]
    %1 = reduce-max(%0, axes=[0]) : f32[]
    %2 = lt(%1, %m) : bool[]
    return going = %2, a = %0, m = %m
  }) : f32[3], f32[]
  %2 = exp(%1) : f32[]
  return y = %0, z = %2
}`)

const branches = parseGraph(`graph branches(%c: bool[], %x: f32[3], %y: f32[3]) {
  %0, %1 = if(%c, %x, %y, then=graph then(%a: f32[3], %b: f32[3]) {
    %0 = sin(%a) : f32[3]
    return p = %0, q = %b
  }, else=graph else(%a: f32[3], %b: f32[3]) {
    %0 = mul(%a, %b) : f32[3]
    %1 = add(%0, %b) : f32[3]
    return p = %1, q = %1
  }) : f32[3], f32[3]
  %2 = add(%0, %1) : f32[3]
  return s = %2, q = %1
}`)

const counted = parseGraph(`graph counted(%n: i32[], %x: f32[2]) {
  %0 = loop(%n, _, %x, body=graph body(%i: i32[], %a: f32[2]) {
    %go = constant(data=[1], dtype=bool) : bool[]
    %0 = cast(%i, dtype=f32) : f32[]
    %1 = broadcast(%0, shape=[2]) : f32[2]
    %2 = constant(data=[1], dtype=i32) : i32[]
    %3 = gt(%i, %2) : bool[]
    %4 = if(%3, %a, %1, then=graph then(%p: f32[2], %q: f32[2]) {
      %0 = mul(%p, %q) : f32[2]
      return r = %0
    }, else=graph else(%p: f32[2], %q: f32[2]) {
      %0 = sub(%p, %q) : f32[2]
      return r = %0
    }) : f32[2]
    return going = %go, a = %4
  }) : f32[2]
  return y = %0
}`)

describe.each([
  ['wasm', wasmTarget()],
  ['webgpu', webgpuTarget()],
] as const)('control flow on %s', (_, target) => {
  const same = (graph: ReturnType<typeof parseGraph>, inputs: Record<string, HostTensor>): void =>
    expect(difference(graph, legalised(lowerProgram(programOf(graph), target)), inputs)).toBeUndefined()

  it.each([0, 1, 2, 7])('swaps carried values over %i rounds', rounds => {
    same(fibonacci, { n: i32(rounds), a: f32(1, 2), b: f32(1, 0.5) })
  })
  it.each([3, 50, 1e30])('stops where data says so, below %d', most => {
    same(whileBelow, { x: f32(1, -2, 0.5), most: scalar(most) })
  })
  it.each([true, false])('takes the branch of %s', chosen => {
    same(branches, { c: bool(chosen), x: f32(1, 2, 3), y: f32(-1, 0, 4) })
  })
  it.each([0, 1, 5])('knows the number of the round, and nests: %i rounds', rounds => {
    same(counted, { n: i32(rounds), x: f32(3, -1) })
  })
})

const collects = parseGraph(`graph collects(%n: i32[], %rows: f32[4,3], %first: f32[3]) {
  %0, %1 = loop(%n, _, %rows, %first, body=graph body(%i: i32[], %all: f32[4,3], %last: f32[3]) {
    %go = constant(data=[1], dtype=bool) : bool[]
    %0 = sin(%last) : f32[3]
    %1 = reshape(%0, shape=[1,3]) : f32[1,3]
    %2 = append(%all, %1, %i) : f32[4,3]
    return going = %go, all = %2, last = %0
  }) : f32[4,3], f32[3]
  return all = %0, last = %1
}`)

describe.each([
  ['wasm', wasmTarget()],
  ['webgpu', webgpuTarget()],
] as const)('carried values on %s', (_, target) => {
  it('are written where they lie', () => {
    const lowered = lowerProgram(programOf(collects), target)
    const [plan] = lowered.plans
    const loop = plan?.steps.find(s => s.kind === 'loop')
    expect(loop?.kind === 'loop' && loop.body.map(s => s.kind)).toEqual(['kernel', 'kernel'])
    const append = lowered.unscheduled.get('append')?.region.kernel
    expect(append?.params.map(p => p.access)).toEqual(expect.not.arrayContaining(['read_write']))
    expect(append?.params).toHaveLength(2)
    const rows: HostTensor = { dtype: 'f32', shape: [4, 3], data: Float32Array.from({ length: 12 }, (_, i) => i) }
    for (const n of [0, 1, 3, 4])
      expect(difference(collects, legalised(lowered), { n: i32(n), rows, first: f32(1, -2, 0.5) })).toBeUndefined()
  })
})
