/** What `grad` gives, against central differences in f64: control flow, gradients of gradients, what is refused. */
import { isQuernError } from '@quern/artifact'
import { describe, expect, test } from 'vitest'
import type { Graph } from '../graph/graph.ts'
import { interpretGraphSync } from '../graph/interpret.ts'
import { printGraph } from '../graph/print.ts'
import { verifyGraph } from '../graph/verify.ts'
import type { HostTensor } from '../host-tensor.ts'
import { numbersOf, tensorOf } from '../ops/testing/support.ts'
import { parseGraph } from '../text/parse-graph.ts'
import { expandGrads, hasGrads } from './expand-grads.ts'

const f64 = (...values: number[]): HostTensor => tensorOf('f64', [values.length], i => values[i] ?? 0)
const scalar = (dtype: 'f64' | 'i32' | 'bool', value: number): HostTensor => tensorOf(dtype, [], () => value)

/** Runs it natively and expanded, which must be the same graph by meaning. */
const run = (graph: Graph, inputs: Readonly<Record<string, HostTensor>>): Record<string, readonly number[]> => {
  verifyGraph(graph)
  const expanded = expandGrads(graph)
  verifyGraph(expanded)
  expect(hasGrads(expanded)).toBe(false)
  const [one, two] = [graph, expanded].map(g =>
    Object.fromEntries(Object.entries(interpretGraphSync(g, inputs)).map(([k, t]) => [k, numbersOf(t)])),
  )
  expect(two).toEqual(one)
  return one ?? {}
}

/** The graph's output `d` is the gradient of its output `value` with respect to the input `x`. */
const agrees = (graph: Graph, inputs: Readonly<Record<string, HostTensor>>): readonly number[] => {
  const found = run(graph, inputs)['d'] ?? []
  const { x } = inputs
  if (x === undefined) throw new Error('no x')
  const at = numbersOf(x),
    h = 1e-6
  const value = (e: number, by: number): number => {
    const moved = tensorOf('f64', x.shape, i => (at[i] ?? 0) + (i === e ? by : 0))
    return interpretGraphSync(graph, { ...inputs, x: moved })['value']?.data[0] as number
  }
  const numeric = at.map((_, e) => (value(e, h) - value(e, -h)) / (2 * h))
  found.forEach((g, e) =>
    expect(Math.abs(g - (numeric[e] ?? NaN)), `d[${e}] ${g}, not ${numeric[e]}`).toBeLessThan(1e-5 * (1 + Math.abs(g))),
  )
  expect(found).toHaveLength(at.length)
  return found
}

/** `%x` into `%value`, by these lines; further inputs beside it. */
const graphOf = (lines: string, more = ''): Graph => {
  const others = [...more.matchAll(/%\w+/g)].map(m => m[0])
  return parseGraph(`graph g(%x: f64[3]${more}) {
  %value, %d = grad(${['%x', ...others].join(', ')}, body=graph body(%x: f64[3]${more}) {
${lines}
    return value = %value
  }, wrt=[0])
  return value = %value, d = %d
}`)
}
const x = f64(0.3, -0.7, 1.1)

test('a scalar of a chain, with a value used twice', () => {
  agrees(
    graphOf(`    %s = sin(%x)
    %m = mul(%s, %x)
    %e = exp(%m)
    %a = add(%e, %s)
    %value = reduce-sum(%a, axes=[0])`),
    { x },
  )
})

test('an input twice is two inputs', () => {
  const graph = parseGraph(`graph g(%x: f64[]) {
  %value, %a, %b = grad(%x, %x, body=graph body(%a: f64[], %b: f64[]) {
    %s = sin(%b)
    %value = mul(%a, %s)
    return value = %value
  }, wrt=[1,0])
  return b = %a, a = %b
}`)
  const { a, b } = run(graph, { x: scalar('f64', 0.5) })
  expect(a?.[0]).toBeCloseTo(Math.sin(0.5), 12)
  expect(b?.[0]).toBeCloseTo(0.5 * Math.cos(0.5), 12)
})

test('what the value does not depend on has a gradient of zeros, and nothing is computed for it', () => {
  const graph = graphOf('    %value = reduce-sum(%y, axes=[0])', ', %y: f64[2]')
  expect(run(graph, { x, y: f64(1, 2) })['d']).toEqual([0, 0, 0])
  expect(printGraph(expandGrads(graph))).toMatchInlineSnapshot(`
    "graph g(%x: f64[3], %y: f64[2]) {
      %value = reduce-sum(%y, axes=[0]) : f64[]
      %0 = constant(data=[0], dtype=f64) : f64[]
      %1 = broadcast(%0, shape=[3]) : f64[3]
      return value = %value, d = %1
    }"
  `)
})

test('no gradient passes stop-gradient, integers and positions', () => {
  const graph = graphOf(`    %s = stop-gradient(%x)
    %w = argmax(%x)
    %k = cast(%x, dtype=i32)
    %f = cast(%k, dtype=f64)
    %p = gather(%x, %w)
    %m = mul(%x, %s)
    %n = add(%m, %f)
    %t = reduce-sum(%n, axes=[0])
    %value = mul(%t, %p)`)
  const { value, d } = run(graph, { x })
  const [a = 0, b = 0, c = 0] = numbersOf(x)
  const t = a * a + b * b + c * c + 1
  expect(value?.[0]).toBeCloseTo(t * c, 12)
  expect(d?.[0]).toBeCloseTo(a * c, 12)
  expect(d?.[1]).toBeCloseTo(b * c, 12)
  expect(d?.[2]).toBeCloseTo(c * c + t, 12)
})

describe('if', () => {
  const graph = graphOf(
    `    %y, %k = if(%c, %x, %n, then=graph then(%a: f64[3], %n: i32[]) {
      %s = sin(%a)
      %p = mul(%s, %a)
      return y = %p, k = %n
    }, else=graph else(%a: f64[3], %n: i32[]) {
      %f = cast(%n, dtype=f64)
      %b = broadcast(%f, shape=[3])
      return y = %b, k = %n
    })
    %q = mul(%y, %x)
    %value = reduce-sum(%q, axes=[0])`,
    ', %c: bool[], %n: i32[]',
  )
  test.each([1, 0])('condition %i: the branch that ran, also where one does not depend on x', c => {
    agrees(graph, { x, c: scalar('bool', c), n: scalar('i32', 4) })
  })
})

const loopOf = (limit: string, condition: string, going: string): Graph =>
  graphOf(
    `    %n = constant(data=[${limit}], dtype=i32)
    %go = lt(%from, %n)
    %zero = constant(data=[0], dtype=f64)
    %count = constant(data=[0], dtype=i32)
    %y, %t, %k = loop(%n, ${condition}, %x, %zero, %count, %x, body=graph body(%i: i32[], %a: f64[3], %t: f64[], %k: i32[], %w: f64[3]) {
      %true = constant(data=[1], dtype=bool)
      %s = sin(%a)
      %f = cast(%i, dtype=f64)
      %b = broadcast(%f, shape=[3])
      %p = mul(%b, %w)
      %next = add(%s, %p)
      %r = reduce-sum(%a, axes=[0])
      %q = mul(%r, %r)
      %t2 = add(%t, %q)
      %one = constant(data=[1], dtype=i32)
      %k2 = add(%k, %one)
      %limit = constant(data=[5], dtype=f64)
      %small = lt(%t2, %limit)
      return going = %${going}, a = %next, t = %t2, k = %k2
    })
    %kf = cast(%k, dtype=f64)
    %z = mul(%y, %y)
    %sum = reduce-sum(%z, axes=[0])
    %u = add(%sum, %t)
    %value = mul(%u, %kf)`,
    ', %from: i32[]',
  )
describe('loop', () => {
  test.each([0, 1, 4])('%i trips', n => {
    agrees(loopOf(`${n}`, '_', 'true'), { x, from: scalar('i32', 0) })
  })
  test.each([0, 9])('while a condition holds, which is %i at first', from => {
    agrees(loopOf('8', '%go', 'small'), { x, from: scalar('i32', from) })
    agrees(loopOf('8', '_', 'small'), { x, from: scalar('i32', from) })
  })
  test('keeps what the way back uses, and no more', () => {
    const text = printGraph(expandGrads(loopOf('4', '_', 'true')))
    // sin and the square need what %a was; %t, %k and %w are not needed, or stay.
    expect(text).toContain('%kept0: f64[4,3]')
    expect(text).not.toMatch(/kept[12]/)
    expect(text).not.toContain('%ran')
  })
})

/** The second derivative: the gradient of `d` along a direction. */
const twice = (lines: string): Graph =>
  parseGraph(`graph g(%x: f64[3], %v: f64[3]) {
  %value, %d = grad(%x, %v, body=graph outer(%x: f64[3], %v: f64[3]) {
    %inner, %g = grad(%x, body=graph body(%x: f64[3]) {
${lines}
      return value = %value
    }, wrt=[0])
    %p = mul(%g, %v)
    %value = reduce-sum(%p, axes=[0])
    return value = %value
  }, wrt=[0])
  return value = %value, d = %d
}`)

describe('grad of grad', () => {
  const v = f64(1, -2, 0.5)
  test('through ops', () => {
    agrees(
      twice(`      %s = softmax(%x)
      %l = log-softmax(%x)
      %n = layer-norm(%x)
      %m = mul(%s, %l)
      %k = mul(%m, %n)
      %value = reduce-sum(%k, axes=[0])`),
      { x, v },
    )
  })
  test('through a loop, whose way back is a loop', () => {
    for (const going of ['true', 'small'])
      agrees(
        twice(`      %n = constant(data=[4], dtype=i32)
      %y = loop(%n, _, %x, body=graph body(%i: i32[], %a: f64[3]) {
        %true = constant(data=[1], dtype=bool)
        %s = sin(%a)
        %m = mul(%s, %a)
        %t = reduce-sum(%m, axes=[0])
        %limit = constant(data=[0.5], dtype=f64)
        %small = gt(%t, %limit)
        return going = %${going}, a = %m
      })
      %z = mul(%y, %y)
      %value = reduce-sum(%z, axes=[0])`),
        { x, v },
      )
  })
  test('three times', () => {
    const nested = (level: number): string =>
      level === 0
        ? '%q = mul(%x, %x)\n%r = mul(%q, %q)\n%e = sin(%r)\nreturn value = %e'
        : `%a, %b = grad(%x, body=graph body(%x: f64[]) {\n${nested(level - 1)}\n}, wrt=[0])\nreturn value = %b`
    const graph = parseGraph(`graph g(%x: f64[]) {\n${nested(3)}\n}`)
    const at = 0.7,
      u = at ** 4
    // d³/dx³ sin(x⁴)
    const third = 24 * at * Math.cos(u) - 144 * at ** 5 * Math.sin(u) - 64 * at ** 9 * Math.cos(u)
    expect(run(graph, { x: scalar('f64', at) })['value']?.[0]).toBeCloseTo(third, 9)
  })
})

test('a batch of any size', () => {
  const graph = parseGraph(`graph g<n: 1..>(%x: f64[n,2], %w: f64[2]) {
  %value, %d = grad(%w, %x, body=graph body(%w: f64[2], %x: f64[n,2]) {
    %b = broadcast(%w, shape=[n,2])
    %p = mul(%b, %x)
    %s = sin(%p)
    %value = reduce-sum(%s, axes=[0,1])
    return value = %value
  }, wrt=[0])
  return value = %value, d = %d
}`)
  const w = f64(0.5, 2),
    rows = tensorOf('f64', [2, 2], i => i - 1)
  const d = run(graph, { x: rows, w })['d'] ?? []
  ;[0, 1].forEach(j => {
    const expected = [0, 1].reduce(
      (s, i) => s + Math.cos((numbersOf(w)[j] ?? 0) * (2 * i + j - 1)) * (2 * i + j - 1),
      0,
    )
    expect(d[j]).toBeCloseTo(expected, 12)
  })
})

describe('what is refused', () => {
  const refusal = (graph: Graph): { code: string; message: string; line: unknown } => {
    try {
      expandGrads(graph)
    } catch (error) {
      if (!isQuernError(error)) throw error
      return { code: error.code, message: error.message, line: (error.details['origin'] as { line?: number })?.line }
    }
    return expect.unreachable()
  }
  const looping = (limit: string): Graph =>
    graphOf(
      `    %n = ${limit}
    %y = loop(%n, _, %x, body=graph body(%i: i32[], %a: f64[3]) {
      %true = constant(data=[1], dtype=bool)
      %s = sin(%a)
      return going = %true, a = %s
    })   // net.model.ts:7:3
    %value = reduce-sum(%y, axes=[0])`,
      ', %m: i32[]',
    )
  test('a loop without a constant limit, and one that is too long', () => {
    expect(refusal(looping('identity(%m)'))).toMatchObject({ code: 'grad/loop-needs-limit', line: 7 })
    expect(refusal(looping('constant(data=[1000000000], dtype=i32)'))).toMatchObject({
      code: 'grad/loop-too-long',
      line: 7,
    })
  })
  test('an op that gives floats and has no gradient', () => {
    const { code, message, line } = refusal(
      graphOf(`    %y = region(%x, body=graph body(%a: f64[3]) {
      %s = sin(%a)
      return y = %s
    })   // net.model.ts:5:1
    %value = reduce-sum(%y, axes=[0])`),
    )
    expect([code, line]).toEqual(['grad/not-differentiable', 5])
    expect(message).toContain('regions are marked after gradients are taken. Put stopGradient around it')
  })
  test('but not where it does not matter', () => {
    const graph = graphOf(
      `    %n = identity(%m)
    %s = stop-gradient(%x)
    %y = loop(%n, _, %s, body=graph body(%i: i32[], %a: f64[3]) {
      %true = constant(data=[1], dtype=bool)
      %s = sin(%a)
      return going = %true, a = %s
    })
    %p = mul(%y, %x)
    %value = reduce-sum(%p, axes=[0])`,
      ', %m: i32[]',
    )
    expect(run(graph, { x, m: scalar('i32', 1) })['d']?.[0]).toBeCloseTo(Math.sin(0.3), 12)
  })
})
