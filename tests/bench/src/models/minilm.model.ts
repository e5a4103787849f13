/** @file An encoder shaped like MiniLM-L6, from embedded tokens. */
import { type Tensor, add, constant, matmul, model, mul, nn, reshape, tensor, transpose } from '@quern/model'
import { encoder, encoderParameters } from '../networks/transformer.ts'
import { seededWeights, weightOf } from '../networks/weights.ts'

const { layers, width, heads, tokens } = encoder
const each = width / heads

const weights = seededWeights(encoderParameters)
const vector = (name: string): Tensor<'f32'> => constant(weightOf(weights, name).data, 'f32')
const matrix = (name: string): Tensor<'f32', readonly [number, number]> => {
  const { shape, data } = weightOf(weights, name)
  return constant(data, 'f32', shape as readonly [number, number])
}

type Rows = Tensor<'f32', readonly [128, 384]>
const linear = (x: Tensor<'f32'>, name: string): Tensor<'f32'> =>
  nn.linear(x, { weight: matrix(`${name}.weight`), bias: vector(`${name}.bias`) })
const norm = (x: Tensor<'f32'>, name: string): Rows =>
  nn.layerNorm(x, { weight: vector(`${name}.weight`), bias: vector(`${name}.bias`) }) as Rows

const attention = (x: Rows, layer: number): Tensor<'f32'> => {
  const part = (name: string, perm: readonly number[]) =>
    transpose(reshape(linear(x, `${layer}.${name}`), [tokens, heads, each]), perm)
  const scores = mul(matmul(part('query', [1, 0, 2]), part('key', [1, 2, 0])), 1 / Math.sqrt(each))
  const mixed = matmul(nn.softmax(scores), part('value', [1, 0, 2]))
  return linear(reshape(transpose(mixed, [1, 0, 2]), [tokens, width]), `${layer}.out`)
}

export default model({ x: tensor('f32', [tokens, width]) }, ({ x }) => ({
  y: Array.from({ length: layers }, (_, i) => i).reduce((before: Rows, i) => {
    const attended = norm(add(attention(before, i), before), `${i}.norm1`)
    const fed = linear(nn.gelu(linear(attended, `${i}.up`)), `${i}.down`)
    return norm(add(fed, attended), `${i}.norm2`)
  }, x),
}))
