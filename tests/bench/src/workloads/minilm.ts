/** @file An encoder shaped like MiniLM-L6: 6 layers, 384 wide, 12 heads, over 128 embedded tokens. */
import { linearWeight } from '../networks/layouts.ts'
import { jaxLayerNorm, tfGelu, tfLayerNorm } from '../networks/library-parts.ts'
import { encoder, encoderParameters } from '../networks/transformer.ts'
import { type NumericArray, seeded, seededWeights, weightOf } from '../networks/weights.ts'
import { onnxGraph } from '../onnx/writer.ts'
import type { JaxArray, Workload } from './workload.ts'

const { layers, width, heads, hidden, tokens } = encoder
const each = width / heads
const shape = [tokens, width]
const scale = 1 / Math.sqrt(each)

const projections = (count: number): number =>
  count * (4 * 2 * tokens * width * width + 2 * 2 * tokens * tokens * width + 2 * 2 * tokens * width * hidden)

export const minilm: Workload = {
  name: 'minilm',
  group: 'models',
  title: 'encoder like MiniLM-L6, 128 tokens',
  cost: { kind: 'flops', amount: projections(layers) },
  // Six layers; every one normalises, so that differences grow.
  tolerance: 1e-4,
  inputs: () => ({ x: { shape, data: seeded('minilm.x', tokens * width) } }),
  weights: () => seededWeights(encoderParameters),
  output: shape,
  onnx: weights => {
    const g = onnxGraph()
    const linear = (x: string, name: string): string => {
      const w = linearWeight(weightOf(weights, `${name}.weight`)),
        b = weightOf(weights, `${name}.bias`)
      const y = g.op('MatMul', [x, g.weight(`${name}.weight`, w.shape, w.data)])
      return g.op('Add', [g.weight(`${name}.bias`, b.shape, b.data), y])
    }
    const norm = (x: string, name: string): string => {
      const constants = [`${name}.weight`, `${name}.bias`].map(n => g.weight(n, [width], weightOf(weights, n).data))
      return g.op('LayerNormalization', [x, ...constants], { axis: -1, epsilon: { float: 1e-5 } })
    }
    const split = g.integers([1, tokens, heads, each]),
      join = g.integers([1, tokens, width]),
      root = g.scalar(Math.sqrt(each))
    let x = g.op('Reshape', [g.input('x', shape), join])
    for (let i = 0; i < layers; i++) {
      const part = (name: string, perm: readonly number[]): string =>
        g.op('Transpose', [g.op('Reshape', [linear(x, `${i}.${name}`), split])], { perm })
      const [q, k, v] = [part('query', [0, 2, 1, 3]), part('key', [0, 2, 3, 1]), part('value', [0, 2, 1, 3])]
      const scores = g.op('Softmax', [g.op('Div', [g.op('MatMul', [q, k]), root])], { axis: -1 })
      const mixed = g.op('Transpose', [g.op('MatMul', [scores, v])], { perm: [0, 2, 1, 3] })
      const attended = linear(g.op('Reshape', [mixed, join]), `${i}.out`)
      x = norm(g.op('Add', [attended, x]), `${i}.norm1`)
      const up = g.op('Gelu', [linear(x, `${i}.up`)])
      x = norm(g.op('Add', [linear(up, `${i}.down`), x]), `${i}.norm2`)
    }
    g.output('y', g.op('Reshape', [x, g.integers(shape)]), shape)
    return g.bytes()
  },
  tfjs: {
    weights: weights =>
      Object.fromEntries(
        Object.entries(weights).map(([name, w]): [string, NumericArray] => [
          name,
          w.shape.length === 2 ? linearWeight(w) : w,
        ]),
      ),
    build: tf => (inputs, w) => {
      const linear = (x: (typeof w)[string], name: string) =>
        tf.fused.matMul({ a: x, b: w[`${name}.weight`]!, bias: w[`${name}.bias`]! })
      const norm = (x: (typeof w)[string], name: string) => tfLayerNorm(tf, x, w[`${name}.weight`]!, w[`${name}.bias`]!)
      let x = inputs['x']!
      for (let i = 0; i < layers; i++) {
        const part = (name: string) =>
          tf.transpose(tf.reshape(linear(x, `${i}.${name}`), [tokens, heads, each]), [1, 0, 2])
        const [q, k, v] = [part('query'), part('key'), part('value')]
        const scores = tf.softmax(tf.mul(tf.matMul(q, k, false, true), scale))
        const mixed = tf.reshape(tf.transpose(tf.matMul(scores, v), [1, 0, 2]), shape as [number, number])
        x = norm(tf.add(linear(mixed, `${i}.out`), x), `${i}.norm1`)
        x = norm(tf.add(linear(tfGelu(tf, linear(x, `${i}.up`)), `${i}.down`), x), `${i}.norm2`)
      }
      return [x]
    },
  },
  jax: {
    build: jax => (inputs, w) => {
      const { nn, numpy: np } = jax
      const linear = (x: JaxArray, name: string): JaxArray =>
        np.matmul(x, w[`${name}.weight`]!.transpose()).add(w[`${name}.bias`]!)
      const norm = (x: JaxArray, name: string): JaxArray =>
        jaxLayerNorm(jax, x, w[`${name}.weight`]!, w[`${name}.bias`]!)
      let x = inputs['x']!
      for (let i = 0; i < layers; i++) {
        const part = (name: string): JaxArray => linear(x.ref, `${i}.${name}`).reshape([tokens, heads, each])
        const mixed = nn.dotProductAttention(part('query'), part('key'), part('value')).reshape(shape)
        x = norm(linear(mixed, `${i}.out`).add(x), `${i}.norm1`)
        const up = nn.gelu(linear(x.ref, `${i}.up`), { approximate: false })
        x = norm(linear(up, `${i}.down`).add(x), `${i}.norm2`)
      }
      return [x]
    },
  },
}
