/** @file A perceptron for digits, 784-256-10, one image at a time. */
import { linearWeight } from '../networks/layouts.ts'
import { mlpParameters } from '../networks/mlp.ts'
import { seeded, seededWeights, weightOf } from '../networks/weights.ts'
import { onnxGraph } from '../onnx/writer.ts'
import type { Workload } from './workload.ts'

export const mlp: Workload = {
  name: 'mlp',
  group: 'models',
  title: 'MLP 784-256-10, batch 1',
  cost: { kind: 'flops', amount: 2 * (784 * 256 + 256 * 10) },
  tolerance: 1e-5,
  inputs: () => ({ x: { shape: [1, 784], data: seeded('mlp.x', 784, 0.5, 0.5) } }),
  weights: () => seededWeights(mlpParameters),
  output: [1, 10],
  onnx: weights => {
    const g = onnxGraph()
    const layer = (x: string, name: string): string => {
      const [w, b] = [`${name}.weight`, `${name}.bias`].map(n => weightOf(weights, n))
      return g.op(
        'Gemm',
        [x, g.weight(`${name}.weight`, w!.shape, w!.data), g.weight(`${name}.bias`, b!.shape, b!.data)],
        {
          transB: 1,
        },
      )
    }
    const hidden = g.op('Relu', [layer(g.input('x', [1, 784]), 'fc1')])
    g.output('y', g.op('Softmax', [layer(hidden, 'fc2')], { axis: -1 }), [1, 10])
    return g.bytes()
  },
  tfjs: {
    weights: weights => ({
      ...weights,
      'fc1.weight': linearWeight(weightOf(weights, 'fc1.weight')),
      'fc2.weight': linearWeight(weightOf(weights, 'fc2.weight')),
    }),
    build: tf => (inputs, w) => {
      const hidden = tf.fused.matMul({
        a: inputs['x']!,
        b: w['fc1.weight']!,
        bias: w['fc1.bias']!,
        activation: 'relu',
      })
      return [tf.softmax(tf.fused.matMul({ a: hidden, b: w['fc2.weight']!, bias: w['fc2.bias']! }))]
    },
  },
  jax: {
    build:
      ({ nn, numpy: np }) =>
      (inputs, w) => {
        const hidden = nn.relu(np.matmul(inputs['x']!, w['fc1.weight']!.transpose()).add(w['fc1.bias']!))
        return [nn.softmax(np.matmul(hidden, w['fc2.weight']!.transpose()).add(w['fc2.bias']!), -1)]
      },
  },
}
