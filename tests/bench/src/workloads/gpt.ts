/** @file One step of a small GPT-2 with a KV cache: 6 layers, 512 wide, the head over 50,257 tokens included. */
import { linearWeight } from '../networks/layouts.ts'
import { jaxLayerNorm, tfLayerNorm } from '../networks/library-parts.ts'
import { cacheNames, cacheShape, decoder, decoderParameters } from '../networks/transformer.ts'
import { type NumericArray, elements, seeded, seededWeights, weightOf } from '../networks/weights.ts'
import { onnxGraph } from '../onnx/writer.ts'
import type { Inputs, JaxArray, Workload } from './workload.ts'

const { layers, width, heads, vocabulary, past } = decoder
const each = width / heads
const scale = 1 / Math.sqrt(each)
const present = [heads, past + 1, each]

const inputs = (): Inputs => ({
  token: { shape: [1], data: Int32Array.of(31_337) },
  position: { shape: [1], data: Int32Array.of(past) },
  ...Object.fromEntries(
    cacheNames.map(name => [name, { shape: cacheShape, data: seeded(`gpt.${name}`, elements(cacheShape)) }]),
  ),
})

/** Our cache has its capacity from the beginning: [heads, past, each] → [heads, past + 1, each]. */
const withRoom = (cache: Float32Array): Float32Array<ArrayBuffer> => {
  const out = new Float32Array(elements(present))
  for (let h = 0; h < heads; h++) out.set(cache.subarray(h * past * each, (h + 1) * past * each), h * (past + 1) * each)
  return out
}

const parameterCount = decoderParameters.reduce((n, p) => n + elements(p.shape), 0)

export const gpt: Workload = {
  name: 'gpt',
  group: 'models',
  title: 'GPT decode step, 6 × 512, vocabulary 50,257',
  // Every weight is read once a token: that is what bounds it.
  cost: { kind: 'read', amount: 4 * parameterCount },
  tolerance: 1e-4,
  inputs,
  weights: () => seededWeights(decoderParameters),
  output: [1, vocabulary],
  quern: {
    states: given => Object.fromEntries(cacheNames.map(name => [name, withRoom(given[name]?.data as Float32Array)])),
  },
  onnx: weights => {
    const g = onnxGraph()
    const weight = (name: string): string => g.weight(name, weightOf(weights, name).shape, weightOf(weights, name).data)
    // PyTorch's GPT-2 keeps these [in, out] and exports Gemm.
    const linear = (x: string, name: string): string => {
      const w = linearWeight(weightOf(weights, `${name}.weight`))
      return g.op('Gemm', [x, g.weight(`${name}.weight`, w.shape, w.data), weight(`${name}.bias`)])
    }
    const norm = (x: string, name: string): string =>
      g.op('LayerNormalization', [x, weight(`${name}.weight`), weight(`${name}.bias`)], {
        axis: -1,
        epsilon: { float: 1e-5 },
      })
    const token = g.input('token', [1], 'i32'),
      position = g.input('position', [1], 'i32')
    const embedding = weight('embedding')
    const split = g.integers([1, heads, each]),
      join = g.integers([1, width]),
      root = g.scalar(Math.sqrt(each))
    let x = g.op('Add', [g.op('Gather', [embedding, token]), g.op('Gather', [weight('positions'), position])])
    for (let i = 0; i < layers; i++) {
      const parts = g.ops('Split', [linear(norm(x, `${i}.norm1`), `${i}.attention`)], 3, { axis: 1, num_outputs: 3 })
      const [q, k, v] = parts.map(p => g.op('Transpose', [g.op('Reshape', [p, split])], { perm: [1, 0, 2] }))
      const cached = (name: string, now: string | undefined): string => {
        const all = g.op('Concat', [g.input(name, cacheShape), now ?? ''], { axis: 1 })
        g.output(`present-${name}`, all, present)
        return all
      }
      const keys = cached(`key${i}`, k),
        values = cached(`value${i}`, v)
      const scores = g.op('MatMul', [q ?? '', g.op('Transpose', [keys], { perm: [0, 2, 1] })])
      const weighted = g.op('MatMul', [g.op('Softmax', [g.op('Div', [scores, root])], { axis: -1 }), values])
      const mixed = g.op('Reshape', [g.op('Transpose', [weighted], { perm: [1, 0, 2] }), join])
      x = g.op('Add', [x, linear(mixed, `${i}.out`)])
      const up = g.op('Gelu', [linear(norm(x, `${i}.norm2`), `${i}.up`)], { approximate: 'tanh' })
      x = g.op('Add', [x, linear(up, `${i}.down`)])
    }
    g.output('y', g.op('Gemm', [norm(x, 'norm'), embedding], { transB: 1 }), [1, vocabulary])
    return g.bytes()
  },
  tfjs: {
    weights: weights =>
      Object.fromEntries(
        Object.entries(weights).map(([name, w]): [string, NumericArray] => [
          name,
          /^\d.*weight$/.test(name) && w.shape.length === 2 ? linearWeight(w) : w,
        ]),
      ),
    build: tf => (given, w) => {
      type T = (typeof w)[string]
      const linear = (x: T, name: string) =>
        tf.fused.matMul({ a: x, b: w[`${name}.weight`]!, bias: w[`${name}.bias`]! })
      const norm = (x: T, name: string) => tfLayerNorm(tf, x, w[`${name}.weight`]!, w[`${name}.bias`]!)
      const gelu = (x: T): T => {
        const inner = tf.mul(tf.add(x, tf.mul(tf.mul(tf.mul(x, x), x), 0.044715)), Math.sqrt(2 / Math.PI))
        return tf.mul(tf.mul(x, 0.5), tf.add(tf.tanh(inner), 1))
      }
      const kept: T[] = []
      let x: T = tf.add(
        tf.gather(w['embedding']!, given['token']! as never),
        tf.gather(w['positions']!, given['position']! as never),
      )
      for (let i = 0; i < layers; i++) {
        const parts = tf.split(linear(norm(x, `${i}.norm1`), `${i}.attention`), 3, 1)
        const [q, k, v] = parts.map(p => tf.reshape(p, [heads, 1, each])) as [T, T, T]
        const keys = tf.concat([given[`key${i}`]!, k], 1),
          values = tf.concat([given[`value${i}`]!, v], 1)
        kept.push(keys, values)
        const scores = tf.softmax(tf.mul(tf.matMul(q, keys, false, true), scale))
        const mixed = tf.reshape(tf.matMul(scores, values), [1, width])
        x = tf.add(x, linear(mixed, `${i}.out`))
        x = tf.add(x, linear(gelu(linear(norm(x, `${i}.norm2`), `${i}.up`)), `${i}.down`))
      }
      return [tf.matMul(norm(x, 'norm'), w['embedding']!, false, true), ...kept]
    },
  },
  jax: {
    build: jax => (given, w) => {
      const { nn, numpy: np } = jax
      const linear = (x: JaxArray, name: string): JaxArray =>
        np.matmul(x, w[`${name}.weight`]!.transpose()).add(w[`${name}.bias`]!)
      const norm = (x: JaxArray, name: string): JaxArray =>
        jaxLayerNorm(jax, x, w[`${name}.weight`]!, w[`${name}.bias`]!)
      const kept: JaxArray[] = []
      let x = np.take(w['embedding']!.ref, given['token']!, 0).add(np.take(w['positions']!, given['position']!, 0))
      for (let i = 0; i < layers; i++) {
        const parts = np.split(linear(norm(x.ref, `${i}.norm1`), `${i}.attention`), 3, 1)
        const [q, k, v] = parts.map(p => p.reshape([heads, 1, each])) as [JaxArray, JaxArray, JaxArray]
        const keys = np.concatenate([given[`key${i}`]!, k], 1),
          values = np.concatenate([given[`value${i}`]!, v], 1)
        kept.push(keys.ref, values.ref)
        const scores = nn.softmax(np.matmul(q, np.matrixTranspose(keys)).mul(scale), -1)
        const mixed = np.matmul(scores, values).reshape([1, width])
        x = x.add(linear(mixed, `${i}.out`))
        const up = nn.gelu(linear(norm(x.ref, `${i}.norm2`), `${i}.up`), { approximate: true })
        x = x.add(linear(up, `${i}.down`))
      }
      return [np.matmul(norm(x, 'norm'), w['embedding']!.transpose()), ...kept]
    },
  },
}
