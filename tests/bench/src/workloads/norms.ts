/** @file Softmax and layer norm over rows. */
import { layerNormParameters } from '../networks/layer-norm.ts'
import { seeded, seededWeights } from '../networks/weights.ts'
import { jaxLayerNorm, tfLayerNorm } from '../networks/library-parts.ts'
import { onnxGraph } from '../onnx/writer.ts'
import type { Workload } from './workload.ts'

const square = [512, 512],
  wide = [512, 768],
  columns = 768

const softmax: Workload = {
  name: 'softmax',
  group: 'norms',
  title: 'softmax 512²',
  cost: { kind: 'copy', amount: 512 * 512 * 8 },
  tolerance: 1e-5,
  inputs: () => ({ x: { shape: square, data: seeded('softmax.x', 512 * 512, 8) } }),
  weights: () => ({}),
  output: square,
  onnx: () => {
    const g = onnxGraph()
    g.output('y', g.op('Softmax', [g.input('x', square)], { axis: -1 }), square)
    return g.bytes()
  },
  tfjs: { build: tf => inputs => [tf.softmax(inputs['x']!)] },
  jax: {
    build:
      ({ nn }) =>
      inputs => [nn.softmax(inputs['x']!, -1)],
  },
}

const layerNorm: Workload = {
  name: 'layer-norm',
  group: 'norms',
  title: 'layer norm 512 × 768',
  cost: { kind: 'copy', amount: 512 * 768 * 8 },
  tolerance: 1e-5,
  inputs: () => ({ x: { shape: wide, data: seeded('layer-norm.x', 512 * 768, 2) } }),
  weights: () => seededWeights(layerNormParameters),
  output: wide,
  onnx: weights => {
    const g = onnxGraph()
    const constants = ['layer-norm.weight', 'layer-norm.bias'].map(w => g.weight(w, [columns], weights[w]!.data))
    const y = g.op('LayerNormalization', [g.input('x', wide), ...constants], { axis: -1, epsilon: { float: 1e-5 } })
    g.output('y', y, wide)
    return g.bytes()
  },
  tfjs: {
    build: tf => (inputs, weights) => [
      tfLayerNorm(tf, inputs['x']!, weights['layer-norm.weight']!, weights['layer-norm.bias']!),
    ],
  },
  jax: {
    build: jax => (inputs, weights) => [
      jaxLayerNorm(jax, inputs['x']!, weights['layer-norm.weight']!, weights['layer-norm.bias']!),
    ],
  },
}

export const norms: readonly Workload[] = [softmax, layerNorm]
