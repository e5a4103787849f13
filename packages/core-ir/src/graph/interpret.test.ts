import { describe, expect, test } from 'vitest'
import { type HostTensor, zeros } from '../host-tensor.ts'
import { numbersOf, tensorOf } from '../ops/testing/support.ts'
import { parseGraph } from '../text/parse-graph.ts'
import { interpretGraph, interpretGraphSync } from './interpret.ts'

const list = (...values: number[]): HostTensor => tensorOf('f32', [values.length], i => values[i] ?? 0)
const scalar = (dtype: HostTensor['dtype'], value: number): HostTensor => tensorOf(dtype, [], () => value)
const numbers = (t: HostTensor | undefined): number[] => numbersOf(t ?? zeros('f32', [0]))

describe('symbols', () => {
  const graph = parseGraph(`graph g<n: 2..8 by 2, m: 1..>(%x: f32[n,m], %y: f32[2*n+m]) {
  %0 = reshape(%x, shape=[n*m])
  %1 = concat(%0, %y)
  return z = %1
}`)
  const run = (n: number, m: number, rest: number) =>
    interpretGraphSync(graph, { x: zeros('f32', [n, m]), y: zeros('f32', [rest]) })['z']?.shape

  test('are bound by the shapes of inputs', () => {
    expect(run(4, 3, 11)).toEqual([23])
    expect(run(2, 1, 5)).toEqual([7])
  })
  test.each([
    ['dim/conflict', () => run(4, 3, 10)],
    ['dim/out-of-bounds', () => run(10, 3, 23)],
    ['dim/out-of-bounds', () => run(3, 3, 9)],
    ['input/missing', () => interpretGraphSync(graph, {})],
    ['input/dtype', () => interpretGraphSync(graph, { x: zeros('f64', [4, 3]), y: zeros('f32', [11]) })],
    ['input/rank', () => interpretGraphSync(graph, { x: zeros('f32', [4]), y: zeros('f32', [11]) })],
    [
      'input/size',
      () => interpretGraphSync(graph, { x: { ...zeros('f32', [4, 3]), shape: [4, 5] }, y: zeros('f32', [11]) }),
    ],
  ])('%s', (code, act) => {
    expect(act).toThrow(expect.objectContaining({ code }))
  })
  test('are solved for where they stand in a sum', () => {
    const solved = parseGraph('graph g<n: 0..>(%x: f32[2*n+1]) {\n  %0 = iota(shape=[n]) : i32[n]\n  return y = %0\n}')
    expect(numbers(interpretGraphSync(solved, { x: zeros('f32', [7]) })['y'])).toEqual([0, 1, 2])
    expect(() => interpretGraphSync(solved, { x: zeros('f32', [6]) })).toThrow(
      expect.objectContaining({ code: 'dim/conflict' }),
    )
  })
})

describe('nonzero', () => {
  const graph = parseGraph(`graph g<n: 0.., k: 0.. upto n>(%x: f32[n], %v: f32[n,2]) {
  %rows, %count = nonzero(%x) : i64[k,1], i32[]
  %at = reshape(%rows, shape=[k]) : i64[k]
  %picked = gather(%v, %at) : f32[k,2]
  %sum = reduce-sum(%picked, axes=[0]) : f32[2]
  return picked = %picked, sum = %sum, count = %count
}`)
  test.each([
    [
      [0, 3, 0, NaN],
      [1, 3],
    ],
    [[0, 0, 0, 0], []],
    [
      [1, 1, 1, 1],
      [0, 1, 2, 3],
    ],
    [[], []],
  ])('%j', (x, at) => {
    const v = tensorOf('f32', [x.length, 2], i => i)
    const { picked, sum, count } = interpretGraphSync(graph, { x: list(...x), v })
    expect(picked?.shape).toEqual([at.length, 2])
    expect(numbers(picked)).toEqual(at.flatMap(k => [2 * k, 2 * k + 1]))
    expect(numbers(sum)).toEqual([at.reduce((s, k) => s + 2 * k, 0), at.reduce((s, k) => s + 2 * k + 1, 0)])
    expect(numbers(count)).toEqual([at.length])
  })
})

describe('control flow', () => {
  test('if runs one branch only', () => {
    const graph = parseGraph(`graph g<n: 1..>(%c: bool[], %x: f32[n]) {
  %0 = if(%c, %x, then=graph a(%x: f32[n]) {
    %0 = neg(%x) : f32[n]
    return y = %0
  }, else=graph b(%x: f32[n]) {
    return y = %x
  }) : f32[n]
  return y = %0
}`)
    expect(numbers(interpretGraphSync(graph, { c: scalar('bool', 1), x: list(1, 2) })['y'])).toEqual([-1, -2])
    expect(numbers(interpretGraphSync(graph, { c: scalar('bool', 0), x: list(1, 2) })['y'])).toEqual([1, 2])
  })

  const loop = parseGraph(`graph g(%limit: i64[], %go: bool[], %x: f32[1], %step: f32[1]) {
  %0, %1 = loop(%limit, %go, %x, %x, %step, body=graph body(%i: i32[], %a: f32[1], %b: f32[1], %s: f32[1]) {
    %next = add(%a, %s) : f32[1]
    %total = reduce-sum(%next) : f32[]
    %ten = constant(data=[10]) : f32[]
    %more = lt(%total, %ten) : bool[]
    %f = cast(%i, dtype=f32) : f32[]
    %trip = reshape(%f, shape=[1]) : f32[1]
    return more = %more, a = %next, b = %trip
  }) : f32[1], f32[1]
  return a = %0, trip = %1
}`)
  const run = (limit: number, go: number, x: number, step: number): number[] => {
    const { a, trip } = interpretGraphSync(loop, {
      limit: scalar('i64', limit),
      go: scalar('bool', go),
      x: list(x),
      step: list(step),
    })
    return [...numbers(a), ...numbers(trip)]
  }
  test.each([
    ['stops at the limit', [3, 1, 0, 1], [3, 2]],
    ['stops where the condition turns false', [99, 1, 0, 4], [12, 2]],
    ['does not begin where the condition is false', [99, 0, 5, 1], [5, 5]],
    ['does not begin where the limit is 0 or less', [-1, 1, 5, 1], [5, 5]],
  ] as const)('loop %s', (_, [limit, go, x, step], result) => {
    expect(run(limit, go, x, step)).toEqual(result)
  })

  test.each([
    [
      'if/condition-is-bool',
      'graph g(%c: f32[]) {\n  %0 = if(%c, then=graph a() {\n    %0 = constant(data=[1]) : f32[]\n    return y = %0\n  }, else=graph b() {\n    %0 = constant(data=[1]) : f32[]\n    return y = %0\n  })\n  return y = %0\n}',
    ],
    [
      'if/else-outputs',
      'graph g(%c: bool[]) {\n  %0 = if(%c, then=graph a() {\n    %0 = constant(data=[1]) : f32[]\n    return y = %0\n  }, else=graph b() {\n    %0 = constant(data=[1], dtype=i32) : i32[]\n    return y = %0\n  })\n  return y = %0\n}',
    ],
    [
      'loop/body-inputs',
      'graph g(%n: i32[], %x: f32[2]) {\n  %0 = loop(%n, _, %x, body=graph a(%x: f32[2]) {\n    %0 = constant(data=[1], dtype=bool) : bool[]\n    return c = %0, y = %x\n  })\n  return y = %0\n}',
    ],
    [
      'loop/body-outputs',
      'graph g(%n: i32[], %x: f32[2]) {\n  %0 = loop(%n, _, %x, body=graph a(%i: i32[], %x: f32[2]) {\n    return y = %x\n  })\n  return y = %0\n}',
    ],
    [
      'region/body-inputs',
      'graph g(%x: f32[2]) {\n  %0 = region(%x, body=graph a(%x: f32[3]) {\n    return y = %x\n  })\n  return y = %0\n}',
    ],
  ])('%s', (code, text) => {
    expect(() => parseGraph(text)).toThrow(expect.objectContaining({ code }))
  })
})

test('a state that is appended to comes back as an output', () => {
  const graph = parseGraph(`graph step(%cache: f32[4] as "state:cache", %row: f32[1], %at: i32[]) {
  %0 = append(%cache, %row, %at) : f32[4]
  return "state:cache" = %0
}`)
  let cache = zeros('f32', [4])
  for (let i = 0; i < 5; i++)
    cache =
      interpretGraphSync(graph, { 'state:cache': cache, row: list(i + 1), at: scalar('i32', i) })['state:cache'] ??
      cache
  expect(numbers(cache)).toEqual([1, 2, 3, 4])
})

describe('constants of a source', () => {
  const graph = parseGraph(`graph g() {
  %0 = constant(data=bytes("w.bin", 4, 8, "h"), shape=[2]) : f32[2]
  return y = %0
}`)
  test('are read late', async () => {
    const bytes = new Uint8Array(Float32Array.of(9, 1.5, -2).buffer)
    const { y } = await interpretGraph(
      graph,
      {},
      { constant: async c => bytes.subarray(c.offset, c.offset + c.length) },
    )
    expect(numbers(y)).toEqual([1.5, -2])
  })
  test('are asked for by name where nobody gives them', async () => {
    await expect(interpretGraph(graph, {})).rejects.toMatchObject({ code: 'graph/no-constant-data' })
  })
})

test('gather from an axis that turns out to be empty gives zeros', () => {
  const graph = parseGraph(`graph g<n: 0..>(%x: f32[n], %i: i32[2]) {
  %0 = gather(%x, %i) : f32[2]
  return y = %0
}`)
  expect(numbers(interpretGraphSync(graph, { x: zeros('f32', [0]), i: zeros('i32', [2]) })['y'])).toEqual([0, 0])
})
