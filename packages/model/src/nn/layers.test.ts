/** Every constraint of every layer refuses what it is there for, in the layer's words; and lets through what only looks odd. */
import { isQuernError } from '@quern/artifact'
import { expect, test } from 'vitest'
import * as q from '../index.ts'

type Zeros = (type: string) => q.AnyTensor
const zeros: Zeros = type => {
  const [, dtype = 'f32', dims = ''] = /^([a-z]\w*)?\[(.*)\]$/.exec(type) ?? []
  const shape = dims.split(',').flatMap(d => (d === '' ? [] : [/^\d/.test(d) ? Number(d) : q.dim(d)]))
  return q.zeros(shape, dtype as 'f32')
}
const named = (weights: Readonly<Record<string, string>>) =>
  Object.fromEntries(Object.entries(weights).map(([name, type]) => [name, zeros(type)]))

const call = (
  layer: string,
  x: string,
  weights: Readonly<Record<string, string>>,
  rest: readonly unknown[],
): unknown => {
  const f = (q.nn as unknown as Readonly<Record<string, (...args: readonly unknown[]) => unknown>>)[layer]
  const pool = /Pool/.test(layer)
  return f?.(zeros(x), ...(pool ? [] : [named(weights)]), ...rest)
}

const cases: readonly (readonly [
  code: string,
  x: string,
  weights: Record<string, string>,
  says: RegExp,
  rest?: readonly unknown[],
])[] = [
  ['linear/x-is-float', 'i32[2,3]', { weight: 'i32[4,3]' }, /it is i32: convert it with cast/],
  ['linear/x-rank', '[3]', { weight: '[4,3]' }, /it is f32\[3\]: unsqueeze\(x, 0\)/],
  ['linear/weight-rank', '[2,3]', { weight: '[3]' }, /weight to be \[out, in\], and it is f32\[3\]/],
  ['linear/same-dtype', '[2,3]', { weight: 'f64[4,3]' }, /they are f32, f64/],
  [
    'linear/weight-fits',
    '[2,128]',
    { weight: '[10,784]' },
    /the last dim of x to equal the second dim of weight \[out, in\], and 128 is not 784/,
  ],
  ['linear/bias-fits', '[2,3]', { weight: '[4,3]', bias: '[3]' }, /f32\[3\] is not \[4\]/],
  ['conv2d/x-rank', '[1,28,28]', { weight: '[8,1,5,5]' }, /x to be \[n, in, height, width\], and it is f32\[1,28,28\]/],
  ['conv2d/weight-rank', '[1,1,28,28]', { weight: '[8,5,5]' }, /weight to be \[out, in \/ groups/],
  ['conv2d/same-dtype', '[1,1,28,28]', { weight: '[8,1,5,5]', bias: 'f16[8]' }, /f32, f32, f16/],
  ['conv2d/groups-divide-out', '[1,4,28,28]', { weight: '[6,1,5,5]' }, /6 is no multiple of 4/, [{ groups: 4 }]],
  ['conv2d/channels-agree', '[1,1,28,28]', { weight: '[8,3,5,5]' }, /and 1 is not 3/],
  ['conv2d/bias-fits', '[1,1,28,28]', { weight: '[8,1,5,5]', bias: '[7]' }, /f32\[7\] is not \[8\]/],
  [
    'conv2d/window-fits',
    '[1,1,4,28]',
    { weight: '[8,1,5,5]' },
    /5 × 5 does not fit into 4 × 28 with a padding of 0 × 0/,
  ],
  ...['maxPool', 'avgPool'].flatMap((pool): typeof cases => [
    [`${pool}/x-is-float`, 'i32[1,1,4,4]', {}, /it is i32/, [2]],
    [`${pool}/x-rank`, '[2,128]', {}, /x to be \[n, channels, height, width\], and it is f32\[2,128\]/, [2]],
    [`${pool}/window-fits`, '[1,1,2,2]', {}, /3 × 3 does not fit into 2 × 2/, [3]],
  ]),
  ['batchNorm/x-is-float', 'u8[2,3]', { mean: 'u8[3]', variance: 'u8[3]' }, /it is u8/],
  ['batchNorm/x-rank', '[2]', { mean: '[2]', variance: '[2]' }, /rank 2 or more/],
  ['batchNorm/same-dtype', '[2,3]', { mean: 'f64[3]', variance: '[3]' }, /f32, f64, f32/],
  ['batchNorm/mean-fits', '[2,3]', { mean: '[2]', variance: '[3]' }, /f32\[2\] for f32\[2,3\]/],
  ['batchNorm/variance-fits', '[n,c,4]', { mean: '[c]', variance: '[4]' }, /f32\[4\] for/],
  ['batchNorm/weight-fits', '[2,3]', { mean: '[3]', variance: '[3]', weight: '[3,1]' }, /f32\[3,1\] for/],
  ['batchNorm/bias-fits', '[2,3]', { mean: '[3]', variance: '[3]', bias: '[1]' }, /f32\[1\] for/],
  ['layerNorm/x-is-float', 'u8[2,3]', {}, /it is u8/],
  ['layerNorm/x-rank', '[]', {}, /rank 1 or more/],
  ['layerNorm/same-dtype', '[2,3]', { weight: 'f64[3]' }, /f32, f64/],
  ['layerNorm/weight-fits', '[2,128]', { weight: '[12]' }, /f32\[12\] is not \[128\]/],
  ['layerNorm/bias-fits', '[2,128]', { bias: '[1,128]' }, /f32\[1,128\] is not \[128\]/],
  ['rmsNorm/x-is-float', 'bool[2,3]', {}, /it is bool/],
  ['rmsNorm/x-rank', '[]', {}, /rank 1 or more/],
  ['rmsNorm/same-dtype', '[2,3]', { weight: 'f64[3]' }, /f32, f64/],
  ['rmsNorm/weight-fits', '[2,n]', { weight: '[m]' }, /f32\[m\] is not \[n\]/],
]

const refused = cases.map(([code, x, weights, says, rest = []]) => ({ code, x, weights, says, rest }))

test.each(refused)('$code', ({ code, x, weights, says, rest }) => {
  const [layer = ''] = code.split('/')
  const error = (() => {
    try {
      return call(layer, x, weights, rest)
    } catch (thrown) {
      return thrown
    }
  })()
  expect(isQuernError(error) && error.code).toBe(code)
  expect(String(error)).toMatch(says)
  const { operands } = (error as { details: { operands: ({ role: string } | undefined)[] } }).details
  expect(operands.flatMap(o => o?.role ?? [])).toEqual(['x', ...Object.keys(weights)])
})

test('every constraint of every layer is tried', () => {
  const tried = new Set(cases.map(([code]) => code))
  expect(q.$layers.flatMap(l => l.constraints.map(c => `${l.name}/${c.id}`)).filter(c => !tried.has(c))).toEqual([])
})

test.each<readonly [string, string, Record<string, string>, readonly unknown[]]>([
  ['linear', '[n,3]', { weight: '[4,3]', bias: '[4]' }, []],
  ['linear', '[n,m]', { weight: '[4,m]' }, []],
  ['conv2d', '[n,3,h,w]', { weight: '[8,3,5,5]' }, []],
  ['conv2d', '[1,4,9,9]', { weight: '[8,1,3,3]' }, [{ groups: 4, padding: [1, 0], stride: 2 }]],
  ['maxPool', '[1,1,2,2]', {}, [3, { padding: 1 }]],
  ['layerNorm', '[n,m]', { weight: '[m]', bias: '[m]', note: '[1]' }, []],
])('%s takes %s and %o', (layer, x, weights, rest) => {
  expect(call(layer, x, weights, rest)).toMatchObject({ kind: 'tensor' })
})
