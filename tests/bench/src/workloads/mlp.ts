/** @file A perceptron for digits, 784-256-10, one image at a time. */
import { mlpJax } from '../forwards/mlp.jax.ts'
import { mlpTfjs } from '../forwards/mlp.tfjs.ts'
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
    build: mlpTfjs,
  },
  jax: { build: mlpJax },
}
