/** @file Single convolutions with bias. */
import { type ConvShape, conv1x1, conv3x3, conv7x7, convParameters, depthwise3x3, paddingOf } from '../networks/conv.ts'
import { convWeight, depthwiseWeight, toChannelsFirst, toChannelsLast } from '../networks/layouts.ts'
import { type NumericArray, elements, seeded, seededWeights, weightOf } from '../networks/weights.ts'
import { onnxGraph } from '../onnx/writer.ts'
import type { Workload } from './workload.ts'

const convolution = (shape: ConvShape): Workload => {
  const { name, title, kernel, stride, size, from, to } = shape
  const depthwise = shape.depthwise === true
  const padding = paddingOf(shape)
  const side = Math.floor((size + 2 * padding - kernel) / stride) + 1
  const output = [1, to, side, side],
    input = [1, from, size, size]
  const weight = `${name}.weight`,
    bias = `${name}.bias`
  const groups = depthwise ? from : 1
  return {
    name,
    group: 'conv',
    title,
    cost: { kind: 'flops', amount: 2 * elements(output) * (from / groups) * kernel * kernel },
    tolerance: 1e-5,
    inputs: () => ({ x: { shape: input, data: seeded(`${name}.x`, elements(input)) } }),
    weights: () => seededWeights(convParameters(shape)),
    output,
    onnx: weights => {
      const g = onnxGraph()
      const constants = [weight, bias].map(w => g.weight(w, weightOf(weights, w).shape, weightOf(weights, w).data))
      const y = g.op('Conv', [g.input('x', input), ...constants], {
        kernel_shape: [kernel, kernel],
        strides: [stride, stride],
        pads: [padding, padding, padding, padding],
        group: groups,
      })
      g.output('y', y, output)
      return g.bytes()
    },
    tfjs: {
      weights: weights => ({
        weight: (depthwise ? depthwiseWeight : convWeight)(weightOf(weights, weight)),
        bias: weightOf(weights, bias),
      }),
      inputs: ({ x }) => ({ x: toChannelsLast(x as NumericArray) }),
      output: data => toChannelsFirst({ shape: [1, side, side, to], data: data as Float32Array<ArrayBuffer> }).data,
      build: tf => {
        const run = depthwise ? tf.fused.depthwiseConv2d : tf.fused.conv2d
        return (inputs, weights) => [
          run({
            x: inputs['x']! as never,
            filter: weights['weight']! as never,
            strides: stride,
            pad: padding,
            dimRoundingMode: 'floor',
            bias: weights['bias']!,
          }),
        ]
      },
    },
    jax: {
      build:
        ({ lax }) =>
        (inputs, weights) => {
          const pads: [number, number][] = [
            [padding, padding],
            [padding, padding],
          ]
          const y = lax.convGeneralDilated(inputs['x']!, weights[weight]!, [stride, stride], pads, {
            featureGroupCount: groups,
          })
          return [y.add(weights[bias]!.reshape([1, to, 1, 1]))]
        },
    },
  }
}

export const conv: readonly Workload[] = [conv3x3, conv1x1, conv7x7, depthwise3x3].map(convolution)
