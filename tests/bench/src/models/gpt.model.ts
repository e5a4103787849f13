/** @file One step of a small GPT-2: keys and values of earlier tokens are states, which grow in place. */
import {
  type State,
  type StateUpdate,
  type Tensor,
  add,
  append,
  arange,
  constant,
  gather,
  lessEqual,
  matmul,
  model,
  mul,
  nn,
  reshape,
  slice,
  state,
  tensor,
  transpose,
  where,
} from '@quern/model'
import { decoder, decoderParameters } from '../networks/transformer.ts'
import { seededWeights, weightOf } from '../networks/weights.ts'

const { layers, width, heads, past } = decoder
const each = width / heads
const capacity = past + 1

const weights = seededWeights(decoderParameters)
const vector = (name: string): Tensor<'f32'> => constant(weightOf(weights, name).data, 'f32')
const matrix = (name: string): Tensor<'f32', readonly [number, number]> => {
  const { shape, data } = weightOf(weights, name)
  return constant(data, 'f32', shape as readonly [number, number])
}
const linear = (x: Tensor<'f32'>, name: string): Tensor<'f32'> =>
  nn.linear(x, { weight: matrix(`${name}.weight`), bias: vector(`${name}.bias`) })
const norm = (x: Tensor<'f32'>, name: string): Tensor<'f32'> =>
  nn.layerNorm(x, { weight: vector(`${name}.weight`), bias: vector(`${name}.bias`) })

const cache = (name: string) => state(name, tensor('f32', [heads, capacity, each]))
type Cache = State<'f32', readonly [number, number, number]>
const caches: readonly { readonly keys: Cache; readonly values: Cache }[] = Array.from({ length: layers }, (_, i) => ({
  keys: cache(`key${i}`),
  values: cache(`value${i}`),
}))

export default model({ token: tensor('i32', [1]), position: tensor('i32', [1]) }, ({ token, position }) => {
  const at = reshape(position, [])
  const known = lessEqual(arange(capacity), at)
  const updates: Record<string, StateUpdate> = {}
  const embedding = matrix('embedding')
  let x: Tensor<'f32'> = add(gather(embedding, token), gather(matrix('positions'), position))
  caches.forEach(({ keys, values }, i) => {
    const projected = linear(norm(x, `${i}.norm1`), `${i}.attention`)
    const part = (index: number): Tensor<'f32'> =>
      reshape(slice(projected, [undefined, { start: index * width, end: (index + 1) * width }]), [heads, 1, each])
    const allKeys = append(keys.value, part(1), at, 1),
      allValues = append(values.value, part(2), at, 1)
    updates[`key${i}`] = keys.next(allKeys)
    updates[`value${i}`] = values.next(allValues)
    const scores = mul(matmul(part(0), transpose(allKeys, [0, 2, 1])), 1 / Math.sqrt(each))
    const mixed = matmul(nn.softmax(where(known, scores, -Infinity)), allValues)
    x = add(x, linear(reshape(mixed, [1, width]), `${i}.out`))
    const up = nn.gelu(linear(norm(x, `${i}.norm2`), `${i}.up`), { approximate: 'tanh' })
    x = add(x, linear(up, `${i}.down`))
  })
  return { y: nn.linear(norm(x, 'norm'), { weight: embedding }), ...updates }
})
