/** Literal shapes that cannot fit are errors of the type checker; what it does not know is none. `npm run typecheck` runs these. */
import { QuernError } from '@quern/artifact'
import { expect, expectTypeOf, test } from 'vitest'
import { type AnyTensor, type Tensor, add, dim, matmul, mul, nn, ones, zeros } from './index.ts'

const refused = (f: () => unknown): void => expect(f).toThrow(QuernError)
const n = dim('n'),
  m = dim('m')
const unknownRank: AnyTensor = zeros([2, 3])
const floats: Tensor<'f32'> = zeros([2, 3])
const rows: Tensor<'f32', readonly [number, 3]> = zeros([2, 3])

test('matmul', () => {
  // @ts-expect-error the last dim of lhs (128) is not the last but one of rhs (96)
  refused(() => matmul(zeros([2, 128]), zeros([96, 10])))
  // @ts-expect-error rank 1
  refused(() => matmul(zeros([3]), zeros([3, 4])))
  // @ts-expect-error rank 1
  refused(() => matmul(zeros([2, 3]), zeros([3])))
  expectTypeOf(matmul(zeros([2, 3]), zeros([3, 4]))).toEqualTypeOf<Tensor<'f32', readonly [2, 4]>>()
  matmul(zeros([2, n]), zeros([n, 4]))
  matmul(rows, zeros([3, 4]))
  matmul(floats, zeros([3, 4]))
  // Which of two it is only the build knows.
  const either: 3 | 5 = Math.random() < 2 ? 3 : 5
  matmul(zeros([2, either]), zeros([3, 4]))
  // The build proves it, or not.
  refused(() => matmul(zeros([2, n]), zeros([m, 4])))
})

test('linear', () => {
  const fc = { weight: zeros([10, 784]), bias: zeros([10]) }
  // @ts-expect-error the last dim of x (128) is not the second dim of weight (784)
  refused(() => nn.linear(zeros([2, 128]), fc))
  expectTypeOf(nn.linear(zeros([2, 784]), fc)).toEqualTypeOf<Tensor<'f32', readonly [2, 10]>>()
  nn.linear(zeros([n, 784]), fc)
  nn.linear(floats, { weight: zeros([4, 3]) })
  nn.linear(zeros([2, 3]), { weight: zeros([4, 3]) as Tensor<'f32', readonly [4, number]> })
})

test('conv2d', () => {
  const c = { weight: zeros([8, 3, 5, 5]) }
  // @ts-expect-error the channels of x (1) are not the second dim of weight (3)
  refused(() => nn.conv2d(zeros([1, 1, 28, 28]), c))
  // @ts-expect-error x has no batch
  refused(() => nn.conv2d(zeros([3, 28, 28]), c))
  nn.conv2d(zeros([n, 3, 28, 28]), c, { padding: 2 })
  nn.conv2d(zeros([1, 6, 28, 28]), c, { groups: 2 })
  const options: import('./nn/index.ts').ConvOptions = { groups: 2 }
  nn.conv2d(zeros([1, 6, 28, 28]), c, options)
})

test('add and its like', () => {
  // @ts-expect-error 3 meets 4
  refused(() => add(zeros([2, 3]), zeros([4])))
  // @ts-expect-error 2 meets 5
  refused(() => mul(zeros([2, 3]), zeros([5, 1])))
  expectTypeOf(add(zeros([2, 3]), zeros([1]))).toEqualTypeOf<Tensor<'f32', readonly [2, 3]>>()
  add(zeros([2, 3]), 1)
  add(1, zeros([2, 3]))
  add(zeros([n, 3]), zeros([3]))
  add(zeros([n, 3]), zeros([n, 1]))
  add(unknownRank as Tensor<'f32'>, floats)
  add(rows, ones([2, 1]))
})

test('generic functions are never refused for what they do not know', () => {
  const dense = <S extends readonly number[]>(x: Tensor<'f32', S>, w: Tensor<'f32', readonly [3, 4]>) =>
    add(matmul(x, w), 1)
  const twice = <S extends readonly number[]>(x: Tensor<'f32', S>) => add(x, x)
  const layer = <S extends readonly number[]>(x: Tensor<'f32', S>) => nn.linear(nn.relu(x), { weight: zeros([4, 3]) })
  const wide = <N extends number>(x: Tensor<'f32', readonly [N, 3]>, y: Tensor<'f32', readonly [3, N]>) =>
    matmul(x, add(y, y))
  const narrow = <N extends number>(x: Tensor<'f32', readonly [2, N]>) => nn.linear(x, { weight: zeros([4, 3]) })
  const residual = <S extends readonly number[]>(x: Tensor<'f32', S>, f: (x: Tensor<'f32', S>) => Tensor<'f32', S>) =>
    add(x, f(x))
  expect(dense(zeros([2, 3]), zeros([3, 4]))).toBeDefined()
  expect([twice(zeros([2])), layer(zeros([2, 3])), narrow(zeros([2, 3])), residual(zeros([2]), x => x)]).toHaveLength(4)
  expect(wide(zeros([2, 3]), zeros([3, 2]))).toBeDefined()
})
