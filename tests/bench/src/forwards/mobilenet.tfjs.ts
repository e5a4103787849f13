/** @file MobileNetV2 in tfjs: channels last, batch norms folded into fused convolutions. */
import type { Tensor, Tensor3D, Tensor4D } from '@tensorflow/tfjs-core'
import { blocks } from '../networks/mobilenet.ts'
import type { Form, Tfjs } from '../workloads/workload.ts'

export const mobilenetTfjs: Form<Tfjs, Tensor>['build'] = tf => (inputs, w) => {
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
}
