/** Every named constraint refuses what it is there for, and shapes over symbols are accepted where they can be proved. */
import { describe, expect, test } from 'vitest'
import { printTensorType } from '../graph/print-type.ts'
import { type BinaryOp, type UnaryOp, accepts, binaryOps, unaryOps } from '../scalar/scalar-ops.ts'
import { parseGraph } from '../text/parse-graph.ts'
import { ops } from './registry.ts'

/** One node over operands of these types. */
const parse = (op: string, types: string, attrs: string, results = 1) => {
  // `i64[2]=3,2` is a constant.
  const list = types === '' ? [] : types.split(' ')
  const given = list.flatMap((t, i) => (t === '_' || t.includes('=') ? [] : [`%a${i}: ${t}`]))
  const operands = [...list.map((t, i) => (t === '_' ? '_' : `%a${i}`)), ...(attrs === '' ? [] : [attrs])]
  const constants = list.flatMap((t, i) => {
    const [, dtype, shape, values] = /^(\w+)(\[.*\])=(.*)$/.exec(t) ?? []
    return dtype === undefined ? [] : [`  %a${i} = constant(data=[${values}], dtype=${dtype}, shape=${shape})\n`]
  })
  const names = Array.from({ length: results }, (_, i) => `%r${i}`).join(', ')
  const symbols = new Set(`${types} ${attrs}`.match(/\b[a-z]\b(?=[^"]*$)/g) ?? [])
  const header = symbols.size === 0 ? '' : `<${[...symbols].map(s => `${s}: 1..`).join(', ')}>`
  return parseGraph(
    `graph g${header}(${given.join(', ')}) {\n${constants.join('')}  ${names} = ${op}(${operands.join(', ')})\n  return y = %r0\n}`,
  )
}

const nested = (inputs: string, outputs: string): string => {
  const values = outputs.split(' ').filter(o => o !== '')
  const nodes = values.map((type, i) => {
    const [, dtype, shape] = /^(\w+)(\[.*\])$/.exec(type) ?? []
    return `    %c${i} = constant(data=[1], dtype=${dtype}, shape=${shape}) : ${type}\n`
  })
  const params = inputs
    .split(' ')
    .filter(o => o !== '')
    .map((t, i) => `%p${i}: ${t}`)
  return `graph b(${params.join(', ')}) {\n${nodes.join('')}    return ${values.map((_, i) => `o${i} = %c${i}`).join(', ')}\n  }`
}

const wrongDType = { number: 'bool', float: 'i32', integer: 'f32', bits: 'f32', bool: 'f32' } as const
const axisOps = ['argmax', 'argmin', 'softmax', 'log-softmax', 'layer-norm', 'rms-norm', 'cumsum', 'sort', 'top-k']
const pools = ['max-pool', 'max-pool-index', 'max-unpool', 'take-pooled', 'avg-pool', 'sum-unpool']
const poolRest = (op: string): string => (/unpool/.test(op) ? ', extents=[4,4]' : '')
const poolTypes = (op: string, x: string): string =>
  op === 'max-unpool' || op === 'take-pooled' ? `${x} i32[1,1,2,2]` : x
const key = (op: string) => [`${op}/key-is-two-words`, 'u32[3]', 'shape=[2]'] as const

const cases: readonly (readonly [code: string, types: string, attrs: string])[] = [
  ...(Object.keys(unaryOps) as UnaryOp[]).map(op => {
    const kind = unaryOps[op].accepts
    return [`${op}/x-is-${kind}`, `${wrongDType[kind]}[2]`, ''] as const
  }),
  ...(Object.keys(binaryOps) as BinaryOp[]).flatMap(op => {
    const kind = binaryOps[op].accepts
    const good = accepts(kind, 'f32') ? 'f32' : 'i32'
    return [
      [`${op}/same-dtype`, `${good}[2] u8[2]`, ''],
      [`${op}/same-shape`, `${good}[2] ${good}[1]`, ''],
      ...(kind === 'any'
        ? []
        : ([[`${op}/lhs-is-${kind}`, `${wrongDType[kind]}[2] ${wrongDType[kind]}[2]`, '']] as const)),
    ] as const
  }),
  ['constant/extents-not-negative', '', 'data=[1], shape=[-1]'],
  ['constant/data-fills-shape', '', 'data=[1,2], shape=[3]'],
  ['constant/data-fills-shape', '', 'data=bytes("w", 0, 10, "h"), shape=[3]'],
  ['iota/axis-in-range', '', 'shape=[3], axis=1'],
  ['iota/dtype-is-number', '', 'shape=[3], dtype=bool'],
  ['dim-value/dtype-is-number', '', 'value=3, dtype=bool'],
  ['relu/x-is-number', 'bool[2]', ''],
  ['gelu/x-is-float', 'i32[2]', ''],
  ['silu/x-is-float', 'i32[2]', ''],
  ['select/condition-is-bool', 'i32[2] f32[2] f32[2]', ''],
  ['select/same-dtype', 'bool[2] f32[2] i32[2]', ''],
  ['select/same-value-shapes', 'bool[2] f32[2] f32[3]', ''],
  ['select/condition-shape', 'bool[1] f32[2] f32[2]', ''],
  ['broadcast/stretches', 'f32[3]', 'shape=[3,2]'],
  ['sum-to/x-is-number', 'bool[3]', 'shape=[]'],
  ['sum-to/is-stretched', 'f32[3,2]', 'shape=[3]'],
  ['reshape/same-count', 'f32[3,2]', 'shape=[5]'],
  ['transpose/perm-is-permutation', 'f32[3,2]', 'perm=[0,0]'],
  ['slice/one-for-each-dim', 'f32[3,2]', 'starts=[0], sizes=[1]'],
  ['slice/one-for-each-dim', 'f32[3]', 'starts=[0], sizes=[1], steps=[0]'],
  ['slice/in-bounds', 'f32[3]', 'starts=[1], sizes=[3]'],
  ['slice/in-bounds', 'f32[3]', 'starts=[1], sizes=[3], steps=[-1]'],
  ['slice/in-bounds', 'f32[n]', 'starts=[n], sizes=[2]'],
  ['unslice/x-is-number', 'bool[3]', 'starts=[0], shape=[4]'],
  ['unslice/one-for-each-dim', 'f32[3]', 'starts=[0,0], shape=[4]'],
  ['pad/one-for-each-dim', 'f32[3]', 'low=[1], high=[-1]'],
  ['concat/some-parts', '', ''],
  ['concat/axis-in-range', 'f32[3] f32[3]', 'axis=1'],
  ['concat/parts-agree', 'f32[3,2] f32[3,1]', ''],
  ['concat/parts-agree', 'f32[3,2] i32[3,2]', ''],
  ['gather/axis-in-range', 'f32[3] i32[2]', 'axis=1'],
  ['gather/indices-is-integer', 'f32[3] f32[2]', ''],
  ['gather-elements/axis-in-range', 'f32[3] i32[2]', 'axis=-2'],
  ['gather-elements/indices-is-integer', 'f32[3] f32[2]', ''],
  ['gather-elements/dims-agree', 'f32[3,2] i32[3,1]', ''],
  ['scatter/axis-in-range', 'f32[3] i32[2] f32[2]', 'axis=1'],
  ['scatter/indices-is-integer', 'f32[3] bool[2] f32[2]', ''],
  ['scatter/same-dtype', 'f32[3] i32[2] f64[2]', ''],
  ['scatter/same-shape', 'f32[3] i32[2] f32[1]', ''],
  ['scatter/dims-agree', 'f32[3,2] i32[3,1] f32[3,1]', ''],
  ['scatter/reduction-of-numbers', 'bool[3] i32[2] bool[2]', 'reduction="add"'],
  ['scatter-rows/axis-in-range', 'f32[3] i32[2] f32[2]', 'axis=1'],
  ['scatter-rows/indices-is-integer', 'f32[3] bool[2] f32[2]', ''],
  ['scatter-rows/same-dtype', 'f32[3] i32[2] f64[2]', ''],
  ['scatter-rows/updates-fit', 'f32[3,4] i32[2] f32[2]', ''],
  ['scatter-rows/reduction-of-numbers', 'bool[3] i32[2] bool[2]', 'reduction="max"'],
  ['append/axis-in-range', 'f32[3] f32[1] i32[]', 'axis=1'],
  ['append/same-dtype', 'f32[3] i32[1] i32[]', ''],
  ['append/position-rank', 'f32[3] f32[1] i32[1]', ''],
  ['append/position-is-integer', 'f32[3] f32[1] f32[]', ''],
  ['append/dims-agree', 'f32[3,2] f32[1,1] i32[]', ''],
  ['take-rows/axis-in-range', 'f32[3] i32[]', 'axis=1, extent=1'],
  ['take-rows/position-rank', 'f32[3] i32[1]', 'extent=1'],
  ['take-rows/position-is-integer', 'f32[3] f32[]', 'extent=1'],
  ...['sum', 'prod', 'max', 'min', 'any', 'all'].flatMap(kind => {
    const [good, bad, name] = kind === 'any' || kind === 'all' ? ['bool', 'f32', 'bool'] : ['f32', 'bool', 'number']
    return [
      [`reduce-${kind}/x-is-${name}`, `${bad}[2]`, ''],
      [`reduce-${kind}/axes-in-range`, `${good}[2,3]`, 'axes=[0,-2]'],
      [`reduce-${kind}/axes-in-range`, `${good}[2,3]`, 'axes=[2]'],
    ] as (readonly [string, string, string])[]
  }),
  ...axisOps.flatMap(
    op =>
      [
        [`${op}/axis-in-range`, 'f32[2]', `axis=1${op === 'top-k' ? ', k=1' : ''}`],
        /softmax|norm/.test(op)
          ? [`${op}/x-is-float`, 'i32[2]', '']
          : [`${op}/x-is-number`, 'bool[2]', op === 'top-k' ? 'k=1' : ''],
      ] as (readonly [string, string, string])[],
  ),
  ['reshape-to/shape-rank', 'f32[4] i64[1,1]=4', ''],
  ['reshape-to/shape-is-integer', 'f32[4] f32[1]=4', ''],
  ['reshape-to/shape-is-known', 'f32[4] i64[1]', ''],
  ['reshape-to/same-count', 'f32[4] i64[2]=3,2', ''],
  ['reshape-to/same-count', 'f32[4] i64[2]=-1,3', ''],
  ['broadcast-to/shape-rank', 'f32[4] i64[]=4', ''],
  ['broadcast-to/shape-is-integer', 'f32[4] f32[1]=4', ''],
  ['broadcast-to/shape-is-known', 'f32[4] i64[1]', ''],
  ['broadcast-to/dims-broadcast', 'f32[4] i64[2]=4,3', ''],
  ['batch-norm/x-is-float', 'i32[2,3] i32[3] i32[3]', ''],
  ['batch-norm/axis-in-range', 'f32[2,3] f32[3] f32[3]', 'axis=2'],
  ['batch-norm/mean-fits', 'f32[2,3] f32[2] f32[3]', ''],
  ['batch-norm/variance-fits', 'f32[2,3] f32[3] f32[3,1]', ''],
  ['batch-norm/scale-fits', 'f32[2,3] f32[3] f32[3] f64[3]', ''],
  ['batch-norm/bias-fits', 'f32[2,3] f32[3] f32[3] _ f32[2]', ''],
  ['layer-norm/scale-fits', 'f32[2,3] f32[2]', ''],
  ['layer-norm/bias-fits', 'f32[2,3] _ f64[3]', ''],
  ['rms-norm/scale-fits', 'f32[2,3] f32[3]', 'axis=0'],
  ['top-k/k-in-range', 'f32[3]', 'k=4'],
  ['sort-first/count-in-range', 'f32[3]', 'count=4'],
  ['sort-first/axis-in-range', 'f32[3]', 'axis=1, count=1'],
  ['sort-first/x-is-number', 'bool[3]', 'count=1'],
  ['matmul/rank-at-least-2', 'f32[3] f32[3,2]', ''],
  ['matmul/same-dtype', 'f32[2,3] f64[3,2]', ''],
  ['matmul/inner-dims-agree', 'f32[2,3] f32[2,3]', ''],
  ['matmul/batch-dims-broadcast', 'f32[2,2,3] f32[3,3,2]', ''],
  ...['conv', 'conv-transpose'].flatMap(op => {
    const rest = op === 'conv' ? '' : 'extents=[5,5], ',
      x = op === 'conv' ? 'f32[1,2,5,5]' : 'f32[1,2,3,3]'
    return [
      [`${op}/ranks-agree`, `${x} f32[2,2,3]`, `${rest}groups=1`],
      [`${op}/same-dtype`, `${x} f64[2,2,3,3]`, `${rest}groups=1`],
      [`${op}/x-is-number`, `${x.replace('f32', 'bool')} bool[2,2,3,3]`, `${rest}groups=1`],
      [`${op}/window-fits`, `${x} f32[2,2,3,3]`, `${rest}strides=[1]`],
      [`${op}/window-fits`, `${x} f32[2,2,3,3]`, `${rest}pads=[1,1]`],
      [`${op}/window-fits`, `${x} f32[2,2,3,3]`, `${rest}dilations=[0,1]`],
      [`${op}/groups-divide-out`, `${x} f32[2,2,3,3]`, `${rest}groups=3`],
      [`${op}/channels-agree`, `${x} f32[${op === 'conv' ? '2,1' : '3,2'},3,3]`, `${rest}groups=1`],
    ] as (readonly [string, string, string])[]
  }),
  ['conv-transpose/extents-agree', 'f32[1,2,3,3] f32[2,2,3,3]', 'extents=[6,5]'],
  ...pools.flatMap(
    op =>
      [
        [`${op}/rank-at-least-3`, poolTypes(op, 'f32[2,2]'), `kernel=[]${poolRest(op)}`],
        [`${op}/kernel-fits`, poolTypes(op, 'f32[1,1,2,2]'), `kernel=[2]${poolRest(op)}`],
        [`${op}/window-fits`, poolTypes(op, 'f32[1,1,2,2]'), `kernel=[2,2], pads=[1]${poolRest(op)}`],
        [
          op === 'avg-pool' || op === 'sum-unpool' ? `${op}/x-is-float` : `${op}/x-is-number`,
          poolTypes(op, 'bool[1,1,2,2]'),
          `kernel=[2,2]${poolRest(op)}`,
        ],
      ] as (readonly [string, string, string])[],
  ),
  ['max-unpool/extents-rank', 'f32[1,1,2,2] i32[1,1,2,2]', 'kernel=[2,2], extents=[4]'],
  ['sum-unpool/extents-rank', 'f32[1,1,2,2]', 'kernel=[2,2], extents=[4]'],
  ['max-unpool/winners-match', 'f32[1,1,2,2] i32[1,1,2,1]', 'kernel=[2,2], extents=[4,4]'],
  ['take-pooled/winners-match', 'f32[1,1,4,4] i64[1,1,2,2]', 'kernel=[2,2]'],
  key('random-bits'),
  key('random-uniform'),
  key('random-normal'),
  ['random-bits/stream-is-word', 'u32[2]', 'shape=[2], stream=-1'],
  ['if/condition-is-bool', 'f32[]', `then=${nested('', 'f32[]')}, else=${nested('', 'f32[]')}`],
  ['if/condition-rank', 'bool[1]', `then=${nested('', 'f32[]')}, else=${nested('', 'f32[]')}`],
  ['if/then-inputs', 'bool[] f32[2]', `then=${nested('f32[3]', 'f32[]')}, else=${nested('f32[2]', 'f32[]')}`],
  ['if/else-inputs', 'bool[] f32[2]', `then=${nested('f32[2]', 'f32[]')}, else=${nested('', 'f32[]')}`],
  ['if/else-outputs', 'bool[]', `then=${nested('', 'f32[]')}, else=${nested('', 'f32[1]')}`],
  ['loop/limit-is-scalar', 'f32[] _ f32[2]', `body=${nested('i32[] f32[2]', 'bool[] f32[2]')}`],
  ['loop/condition-is-scalar', '_ bool[1] f32[2]', `body=${nested('i32[] f32[2]', 'bool[] f32[2]')}`],
  ['loop/body-inputs', '_ _ f32[2]', `body=${nested('f32[2]', 'bool[] f32[2]')}`],
  ['loop/body-outputs', '_ _ f32[2]', `body=${nested('i32[] f32[2]', 'bool[] f32[3]')}`],
  ['grad/body-inputs', 'f32[2]', `body=${nested('f32[3]', 'f32[]')}, wrt=[0]`],
  ['grad/value-is-scalar', 'f32[2]', `body=${nested('f32[2]', 'f32[1]')}, wrt=[0]`],
  ['grad/value-is-scalar', 'f32[2]', `body=${nested('f32[2]', '')}, wrt=[0]`],
  ['grad/value-is-float', 'f32[2]', `body=${nested('f32[2]', 'i32[]')}, wrt=[0]`],
  ['grad/wrt-in-range', 'f32[2]', `body=${nested('f32[2]', 'f32[]')}, wrt=[1]`],
  ['grad/wrt-in-range', 'f32[2]', `body=${nested('f32[2]', 'f32[]')}, wrt=[0,0]`],
  ['grad/wrt-in-range', 'f32[2]', `body=${nested('f32[2]', 'f32[]')}, wrt=[]`],
  ['grad/wrt-is-float', 'i32[2]', `body=${nested('i32[2]', 'f32[]')}, wrt=[0]`],
  ['region/body-inputs', 'f32[2]', `body=${nested('f32[3]', 'f32[3]')}`],
  ['region/layouts-fit', 'f32[2]', `body=${nested('f32[2]', 'f32[2]')}, layouts=["d0", "d0"]`],
  ['region/layouts-fit', 'f32[2]', `body=${nested('f32[2]', 'f32[2]')}, layouts=["d1"]`],
  ['region/layouts-fit', 'f32[2]', `body=${nested('f32[2]', 'f32[2]')}, layouts=["d0 // 2, d0 % 4"]`],
]

describe('what is refused', () => {
  test.each(cases)('%s %s %s', (code, types, attrs) => {
    const [op = ''] = code.split('/')
    expect(() => parse(op, types, attrs, ['sort', 'sort-first', 'top-k'].includes(op) ? 2 : 1)).toThrow(
      expect.objectContaining({ code }),
    )
  })

  test('every constraint of every op is tried', () => {
    const tried = new Set(cases.map(([code]) => code))
    const all = [...ops.values()].flatMap(op => op.constraints.map(c => `${op.name}/${c.id}`))
    expect(all.filter(id => !tried.has(id))).toEqual([])
  })
})

describe('shapes over symbols', () => {
  test.each([
    ['add', 'f32[n,2*m] f32[n,m+m]', '', 'f32[n,2*m]'],
    ['broadcast', 'f32[m]', 'shape=[n,m]', 'f32[n,m]'],
    ['reshape', 'f32[n,m,4]', 'shape=[n,4*m]', 'f32[n,4*m]'],
    ['reshape', 'f32[n,28,28]', 'shape=[n*784]', 'f32[784*n]'],
    ['slice', 'f32[n]', 'starts=[n-1], sizes=[n], steps=[-1]', 'f32[n]'],
    ['slice', 'f32[n]', 'starts=[1], sizes=[n-1]', 'f32[n - 1]'],
    ['pad', 'f32[n]', 'low=[m], high=[1]', 'f32[m + n + 1]'],
    ['concat', 'f32[n,2] f32[m,2]', '', 'f32[m + n,2]'],
    ['gather', 'f32[n,m] i32[k,2]', '', 'f32[k,2,m]'],
    ['conv', 'f32[n,3,h,w] f32[8,3,3,3]', 'pads=[1,1,1,1]', 'f32[n,8,h,w]'],
    ['conv', 'f32[n,3,h,w] f32[8,3,3,3]', 'pads=[1,1,1,1], strides=[2,2]', 'f32[n,8,(h + 1) // 2,(w + 1) // 2]'],
    ['conv', 'f32[n,3,h] f32[8,3,3]', '', 'f32[n,8,max(h - 2, 0)]'],
    ['max-pool', 'f32[n,c,2*h,w]', 'kernel=[2,1]', 'f32[n,c,h,w]'],
    ['reduce-sum', 'f32[n,m]', 'axes=[-1]', 'f32[n]'],
    ['matmul', 'f32[b,n,k] f32[k,m]', '', 'f32[b,n,m]'],
    ['top-k', 'f32[n]', 'k=2', 'f32[2]'],
    ['nonzero', 'f32[n,m]', '', 'i64[k,2]'],
  ])('%s(%s, %s) : %s', (op, types, attrs, result) => {
    const graph = parse(op, types, attrs, op === 'top-k' || op === 'nonzero' ? 2 : 1)
    const [output] = graph.outputs
    expect(output && printTensorType(output.value.type)).toBe(result)
  })
})

test('what divides a symbol is used to prove shapes equal', () => {
  const text = (by: number) => `graph g<n: 4..64 by ${by}>(%x: f32[n]) {
  %0 = reshape(%x, shape=[n // 4,2,2])
  return y = %0
}`
  expect(parseGraph(text(8)).outputs).toHaveLength(1)
  expect(() => parseGraph(text(2))).toThrow(expect.objectContaining({ code: 'reshape/same-count' }))
})
