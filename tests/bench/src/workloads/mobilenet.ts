/** @file MobileNetV2-1.0, one image of 224²; batch norms unfolded in the ONNX file and in our model file, folded for the others. */
import type { Tensor3D, Tensor4D, Tensor } from '@tensorflow/tfjs-core'
import { convWeight, depthwiseWeight, linearWeight, toChannelsLast } from '../networks/layouts.ts'
import { blocks, classes, epsilon, flops, folded, layers, parameters, size } from '../networks/mobilenet.ts'
import { type NumericArray, elements, seeded, seededWeights, weightOf } from '../networks/weights.ts'
import { onnxGraph } from '../onnx/writer.ts'
import type { JaxArray, Workload } from './workload.ts'

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
    build: tf => (inputs, w) => {
      let x: Tensor = inputs['x']!
      for (const block of blocks) {
        const before = x
        for (const { name, stride, kernel, depthwise, clipped } of block.layers) {
          const options = {
            x: x as Tensor4D,
            filter: w[`${name}.weight`] as Tensor4D,
            strides: stride,
            bias: w[`${name}.bias`]!,
            ...(clipped && { activation: 'relu6' as const }),
            pad: kernel >> 1,
            dimRoundingMode: 'floor' as const,
          }
          x = depthwise ? tf.fused.depthwiseConv2d(options) : tf.fused.conv2d(options)
        }
        if (block.residual) x = tf.add(before, x)
      }
      const features = tf.mean(x as Tensor3D, [1, 2])
      return [tf.fused.matMul({ a: features, b: w['classifier.weight']!, bias: w['classifier.bias']! })]
    },
  },
  jax: {
    weights: folded,
    build:
      ({ lax, nn, numpy: np }) =>
      (inputs, w) => {
        let x: JaxArray = inputs['x']!
        for (const block of blocks) {
          const before = block.residual ? x.ref : undefined
          for (const { name, stride, kernel, from, to, depthwise, clipped } of block.layers) {
            const pad = kernel >> 1
            const pads: [number, number][] = [
              [pad, pad],
              [pad, pad],
            ]
            const y = lax
              .convGeneralDilated(x, w[`${name}.weight`]!, [stride, stride], pads, {
                featureGroupCount: depthwise ? from : 1,
              })
              .add(w[`${name}.bias`]!.reshape([1, to, 1, 1]))
            x = clipped ? nn.relu6(y) : y
          }
          if (before !== undefined) x = x.add(before)
        }
        const features = np.mean(x, [2, 3])
        return [np.matmul(features, w['classifier.weight']!.transpose()).add(w['classifier.bias']!)]
      },
  },
}
