/** @file Values made of dims alone: their shapes are known at build, they are not; and loops around ops that define dims. */
import { jit } from '@quern/jit'
import {
  type AnyTensor,
  type Tensor,
  add,
  cast,
  concat,
  constant,
  dim,
  div,
  gather,
  grad,
  less,
  loop,
  matmul,
  mean,
  model,
  mul,
  nn,
  nonzero,
  reshape,
  sizeOf,
  slice,
  sqrt,
  sub,
  sum,
  tensor,
  transpose,
} from '@quern/model'
import { describe, expect, it } from 'vitest'

const n = dim('n', { max: 64 })
const none: Tensor<'i32'> = constant(0, 'i32')
type Vector = Tensor<'f32', readonly [typeof n]>
type Make = (x: Vector) => AnyTensor
const size = sizeOf(n, 'f32')
const table = constant(
  Array.from({ length: 100 }, (_, i) => i),
  'f32',
)

describe('what dims decide is computed at each run', () => {
  const cases: readonly (readonly [string, Make, (x: readonly number[]) => number | number[]])[] = [
    ['cast', () => cast(sizeOf(n), 'f32'), x => x.length],
    ['a root', x => mul(x, sqrt(size)), x => x.map(v => v * Math.sqrt(x.length))],
    ['a square', x => add(x, mul(size, size)), x => x.map(v => v + x.length ** 2)],
    [
      'an unbiased variance',
      x => div(sum(mul(x, x)), sub(size, 1)),
      x => x.reduce((s, v) => s + v * v, 0) / (x.length - 1),
    ],
    [
      'the gradient of a mean',
      x => grad((v: { x: Vector }) => mean(mul(v.x, v.x)))({ x }).x,
      x => x.map(v => (2 * v) / x.length),
    ],
    ['the last element', x => gather(x, sub(reshape(sizeOf(n), [1]), 1), 0), x => x.slice(-1)],
    [
      'weights that are scaled',
      x => matmul(reshape(x, [n, 1]), mul(constant([[1, 2]]), size)),
      x => x.flatMap(v => [v * x.length, 2 * v * x.length]),
    ],
    [
      'a window of a constant',
      x => slice(table, [{ start: n, end: concat([x, constant([0, 0])], 0).shape[0] ?? 0 }]),
      x => [x.length, x.length + 1],
    ],
    [
      'attention that is scaled by a dim',
      x => {
        const q = reshape(x, [n, 1])
        return nn.softmax(div(matmul(q, transpose(q, [1, 0])), sqrt(size)))
      },
      x =>
        x.flatMap(a => {
          const e = x.map(b => Math.exp((a * b) / Math.sqrt(x.length)))
          return e.map(v => v / e.reduce((s, t) => s + t, 0))
        }),
    ],
  ]
  it.each(cases)('%s', async (_, make, wanted) => {
    const net = await jit(
      model({ x: tensor('f32', [n]) }, ({ x }) => ({ y: make(x) })),
      { device: 'wasm', thread: 'caller' },
    )
    for (const length of [2, 3, 17]) {
      const x = Float32Array.from({ length }, (_, i) => Math.sin(i + 1))
      const { y } = await net.run({ x })
      const numbers = [wanted([...x])].flat()
      expect(y.data.length).toBe(numbers.length)
      numbers.forEach((v, i) => expect(Number(y.data[i])).toBeCloseTo(v, 4))
    }
    await net.dispose()
  })
})

describe('a dim that an op defines', () => {
  const x = Float32Array.of(0, 1, 0, 2, 3)
  it.each<[string, (x: Vector, k: Tensor<'i32', readonly []>) => AnyTensor]>([
    [
      'inside a loop whose rounds do not change it',
      (x, k) =>
        loop({ acc: none }, 10, ({ acc }, round) => ({
          acc: add(acc, sum(nonzero(x).indices)),
          while: less(round, k),
        })).acc,
    ],
    [
      'before a loop that uses it',
      (x, k) => {
        const { indices } = nonzero(x)
        return loop({ acc: none }, 10, ({ acc }, round) => ({
          acc: add(acc, sum(indices)),
          while: less(round, k),
        })).acc
      },
    ],
  ])('%s', async (_, make) => {
    const net = await jit(
      model({ x: tensor('f32', [n]), k: tensor('i32', []) }, ({ x, k }) => ({ acc: make(x, k) })),
      { device: 'wasm', thread: 'caller' },
    )
    for (const k of [0, 1, 4]) expect(Number((await net.run({ x, k: Int32Array.of(k) })).acc.data[0])).toBe(8 * (k + 1))
    await net.dispose()
  })
})
