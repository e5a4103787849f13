/** @file MobileNetV2-1.0, one image of 224²; batch norms unfolded in the ONNX file and in our model file, folded for the others. */
import { mobilenetJax } from '../forwards/mobilenet.jax.ts'
import { mobilenetTfjs } from '../forwards/mobilenet.tfjs.ts'
import { convWeight, depthwiseWeight, linearWeight, toChannelsLast } from '../networks/layouts.ts'
import { blocks, classes, epsilon, flops, folded, layers, parameters, size } from '../networks/mobilenet.ts'
import { type NumericArray, elements, seeded, seededWeights, weightOf } from '../networks/weights.ts'
import { onnxGraph } from '../onnx/writer.ts'
import type { Workload } from './workload.ts'

const image = [1, 3, size, size]

export const mobilenet: Workload = {
  name: 'mobilenet',
  group: 'models',
  title: 'MobileNetV2-1.0, 224²',
  cost: { kind: 'flops', amount: flops() },
  // Fifty-three layers, summed in different orders.
  tolerance: 1e-4,
  inputs: () => ({ x: { shape: image, data: seeded('mobilenet.x', elements(image), 1.7) } }),
  weights: () => seededWeights(parameters),
  output: [1, classes],
  onnx: weights => {
    const g = onnxGraph()
    const weight = (name: string): string => g.weight(name, weightOf(weights, name).shape, weightOf(weights, name).data)
    const low = g.scalar(0),
      high = g.scalar(6)
    let x = g.input('x', image)
    for (const block of blocks) {
      const before = x
      for (const { name, kernel, stride, from, depthwise, clipped } of block.layers) {
        const pad = kernel >> 1
        const y = g.op('Conv', [x, weight(`${name}.conv`)], {
          kernel_shape: [kernel, kernel],
          strides: [stride, stride],
          pads: [pad, pad, pad, pad],
          group: depthwise ? from : 1,
        })
        const norm = ['gamma', 'beta', 'mean', 'variance'].map(part => weight(`${name}.${part}`))
        x = g.op('BatchNormalization', [y, ...norm], { epsilon: { float: epsilon } })
        if (clipped) x = g.op('Clip', [x, low, high])
      }
      if (block.residual) x = g.op('Add', [before, x])
    }
    const features = g.op('Flatten', [g.op('GlobalAveragePool', [x])], { axis: 1 })
    const logits = g.op('Gemm', [features, weight('classifier.weight'), weight('classifier.bias')], { transB: 1 })
    g.output('y', logits, [1, classes])
    return g.bytes()
  },
  tfjs: {
    weights: weights => {
      const flat = folded(weights)
      const out: Record<string, NumericArray> = {}
      for (const { name, depthwise } of layers) {
        out[`${name}.weight`] = (depthwise ? depthwiseWeight : convWeight)(weightOf(flat, `${name}.weight`))
        out[`${name}.bias`] = weightOf(flat, `${name}.bias`)
      }
      out['classifier.weight'] = linearWeight(weightOf(flat, 'classifier.weight'))
      out['classifier.bias'] = weightOf(flat, 'classifier.bias')
      return out
    },
    inputs: ({ x }) => ({ x: toChannelsLast(x as NumericArray) }),
    build: mobilenetTfjs,
  },
  jax: {
    weights: folded,
    build: mobilenetJax,
  },
}
