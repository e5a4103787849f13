import { expect, test } from 'vitest'
import { parseKernel } from '../text/parse-kernel.ts'
import { kernelDiagnostics, verifyKernel } from './verify.ts'

const kernel = (body: string, head = 'read x: f32[n], write y: f32[n], read_write z: f32[8,8]') =>
  parseKernel(`kernel k<n: 1..>(${head}) {\n${body}\n}`)
const gpu = (body: string) => `for workgroup.x g < n { alloc shared s: f32[4]\n for thread.x t < 4 { ${body} } }`

const bad: readonly (readonly [code: string, body: string, head?: string])[] = [
  ['loop/unknown-name', 'store y[m] = 1.0'],
  ['loop/unknown-name', 'store w[0] = 1.0'],
  ['loop/unknown-name', 'store y[0] = w[0]:f32'],
  ['loop/unknown-name', 'for i < 2 { let a = 1.0 } store y[0] = a:f32'],
  ['loop/unknown-name', 'store y[0] = nothing!(1.0):f32'],
  ['loop/name-taken', 'for i < 2 { } for i < 3 { }'],
  ['loop/name-taken', 'let x = 1.0'],
  ['loop/name-taken', '', 'read x: f32[2], read x: f32[2]'],
  ['loop/wrong-rank', 'store z[0] = 1.0'],
  ['loop/wrong-rank', '', 'read x: f32[2,2] strides [1]'],
  ['loop/wrong-dtype', 'store y[0] = 1'],
  ['loop/wrong-dtype', 'store y[0] = x[0]:i32'],
  ['loop/wrong-dtype', 'store y[value(i64(x[0]))] = 1.0'],
  ['loop/wrong-dtype', 'store y[0] = f32(not(x[0]))'],
  ['loop/wrong-dtype', 'if x[0] { }'],
  ['loop/wrong-dtype', 'store y[0] = f32(bitcast<i64>(x[0]))'],
  ['loop/wrong-dtype', 'accumulate z[0, 0] any= 1.0'],
  ['loop/wrong-access', 'store x[0] = 1.0'],
  ['loop/wrong-access', 'store z[0, 0] = y[0]'],
  ['loop/wrong-access', 'accumulate y[0] sum= 1.0'],
  ['loop/reduce-in-kernel', 'store y[0] = reduce<sum>(k < 3; x[k])'],
  ['loop/vector-body', 'for vector v < 4 { for i < 2 { store z[i, v] = 1.0 } }'],
  ['loop/vector-body', 'for vector v < 4 { for unroll u < n { store z[u, v] = 1.0 } }'],
  ['loop/vector-body', 'for vector v < 4 { alloc private p: f32[4] }'],
  ['loop/vector-body', 'for vector v < 4 { accumulate z[0, 0] sum= x[v] }'],
  ['loop/vector-lanes', 'for vector v < 12 { store y[v] = 1.0 }'],
  ['loop/vector-lanes', 'for vector v < 16 { store y[v] = f32(f64(x[v])) }'],
  ['loop/extent-not-constant', 'for vector v < n { store y[v] = 1.0 }'],
  ['loop/extent-not-constant', 'alloc register r: f32[n]'],
  ['loop/extent-not-constant', 'for workgroup.x g < 1 { for thread.x t < n { } }'],
  ['loop/extent-not-uniform', 'for parallel p < value(i32(x[0])) { }'],
  ['loop/barrier-under-guard', gpu('if i32[t] < 2 { barrier }')],
  ['loop/barrier-not-uniform', gpu('for i < t { barrier }')],
  ['loop/barrier-not-uniform', gpu('for i < value(i32(x[0])) { barrier }')],
  ['loop/barrier-not-uniform', gpu('let m = i32[t] + 1\n for i < value(m) { barrier }')],
  ['loop/barrier-in-parallel', 'for parallel p < n { barrier }'],
  ['loop/write-outside-parallel', 'store y[0] = 1.0\n for parallel p < n { store z[0, p] = 1.0 }'],
  ['loop/write-outside-parallel', 'for workgroup.x g < n { store y[g] = 1.0\n for thread.x t < 4 { } }'],
  ['loop/axis-misplaced', 'for thread.x t < 4 { }'],
  ['loop/axis-misplaced', 'for i < 4 { for workgroup.x g < 4 { } }'],
  ['loop/axis-misplaced', 'for parallel p < 4 { for parallel q < 4 { } }'],
  ['loop/axis-misplaced', 'if true { for parallel p < 4 { } }'],
  ['loop/mixed-axes', 'for parallel p < 4 { } for workgroup.x g < 4 { }'],
  ['loop/shared-misplaced', 'alloc shared s: f32[4]'],
  ['loop/shared-misplaced', 'for workgroup.x g < 4 { for thread.x t < 4 { alloc shared s: f32[4] } }'],
]
test.each(bad.map(([code, body, head]) => ({ code, body, head })))('$code: $body $head', ({ code, body, head }) => {
  const found = kernelDiagnostics(kernel(body, head))
  expect(found.map(d => d.code)).toContain(code)
  expect(() => verifyKernel(kernel(body, head))).toThrow(expect.objectContaining({ name: 'QuernError' }))
})

const good = [
  'for parallel p < n { store y[p] = x[p] }\n barrier\n for parallel q < n { accumulate z[q, 0] sum= x[q] }',
  gpu(
    'store s[t] = x[t]\n barrier\n for i < n { if i32[t] < shr(4, i32[i]) { accumulate s[t] sum= s[t] }\n barrier }\n if i32[t] == 0 { store y[g] = s[0] }',
  ),
  'for vector v < 4 { alloc register r: f32[1]\n store r[0] = x[v]\n if x[v] > 9.0 { store r[0] = 0.0 }\n store y[v] = r[0] }',
  'for vector v < 4 { for unroll u < 2 { store z[u, v] = x[v] } }',
  'for vector v < 2 { let a = f64(x[v])\n store y[v] = f32(a) }',
  'for i < 2 { let a = 1.0 } for j < 2 { let a = 2\n for k < value(a) + j { store z[j, k] = 1.0 } }',
]
test.each(good)('nothing is wrong with %s', body => {
  expect(kernelDiagnostics(kernel(body))).toEqual([])
})

test('a finding underlines its place in the printed kernel', () => {
  const [found] = kernelDiagnostics(kernel(gpu('for i < t { barrier }')))
  expect(found?.message).toBe('the loop over i may run more often for some than for others')
  expect(found?.frame).toMatchInlineSnapshot(`
    " 9 |       for i < t {
    10 |         barrier
       |         ^^^^^^^
    11 |       }"
  `)
})
