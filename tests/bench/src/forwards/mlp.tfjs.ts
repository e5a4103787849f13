/** @file The perceptron in tfjs: two fused products. Weights are [in, out]. */
import type { Form, Tfjs } from '../workloads/workload.ts'
import type { Tensor } from '@tensorflow/tfjs-core'

export const mlpTfjs: Form<Tfjs, Tensor>['build'] = tf => (inputs, w) => {
  const hidden = tf.fused.matMul({
    a: inputs['x']!,
    b: w['fc1.weight']!,
    bias: w['fc1.bias']!,
    activation: 'relu',
  })
  return [tf.softmax(tf.fused.matMul({ a: hidden, b: w['fc2.weight']!, bias: w['fc2.bias']! }))]
}
