/** @file Element-wise chains over four million numbers: what fusion is worth. */
import { seeded } from '../networks/weights.ts'
import { onnxGraph } from '../onnx/writer.ts'
import type { Workload } from './workload.ts'

const count = 4 * 1024 * 1024

const sincos: Workload = {
  name: 'sincos',
  group: 'pointwise',
  title: 'sin + cos, 4 M',
  cost: { kind: 'copy', amount: count * 8 },
  tolerance: 1e-5,
  inputs: () => ({ x: { shape: [count], data: seeded('sincos.x', count, 100) } }),
  weights: () => ({}),
  output: [count],
  onnx: () => {
    const g = onnxGraph()
    const x = g.input('x', [count])
    g.output('y', g.op('Add', [g.op('Sin', [x]), g.op('Cos', [x])]), [count])
    return g.bytes()
  },
  tfjs: { build: tf => inputs => [tf.add(tf.sin(inputs['x']!), tf.cos(inputs['x']!))] },
  jax: {
    build:
      ({ numpy: np }) =>
      inputs => [np.add(np.sin(inputs['x']!.ref), np.cos(inputs['x']!))],
  },
}

const rows = 4096,
  columns = 1024
const bias = (): { readonly b: { readonly shape: readonly number[]; readonly data: Float32Array<ArrayBuffer> } } => ({
  b: { shape: [columns], data: seeded('gelu.b', columns) },
})

const gelu: Workload = {
  name: 'gelu',
  group: 'pointwise',
  title: 'bias + gelu (tanh), 4096 × 1024',
  cost: { kind: 'copy', amount: count * 8 },
  tolerance: 1e-5,
  inputs: () => ({ x: { shape: [rows, columns], data: seeded('gelu.x', count, 4) } }),
  weights: bias,
  output: [rows, columns],
  onnx: weights => {
    const g = onnxGraph()
    const sum = g.op('Add', [g.input('x', [rows, columns]), g.weight('b', [columns], weights['b']!.data)])
    g.output('y', g.op('Gelu', [sum], { approximate: 'tanh' }), [rows, columns])
    return g.bytes()
  },
  tfjs: {
    build: tf => (inputs, weights) => {
      const x = tf.add(inputs['x']!, weights['b']!)
      const inner = tf.mul(tf.add(x, tf.mul(tf.mul(tf.mul(x, x), x), 0.044715)), Math.sqrt(2 / Math.PI))
      return [tf.mul(tf.mul(x, 0.5), tf.add(tf.tanh(inner), 1))]
    },
  },
  jax: {
    build:
      ({ nn }) =>
      (inputs, weights) => [nn.gelu(inputs['x']!.add(weights['b']!), { approximate: true })],
  },
}

export const pointwise: readonly Workload[] = [sincos, gelu]
