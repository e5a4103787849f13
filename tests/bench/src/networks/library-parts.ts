/** @file What tfjs and jax-js have no function for, as their users write it. */
import type { Tensor } from '@tensorflow/tfjs-core'
import type { Jax, JaxArray, Tfjs } from '../workloads/workload.ts'

export const tfLayerNorm = (tf: Tfjs, x: Tensor, weight: Tensor, bias: Tensor, epsilon = 1e-5): Tensor => {
  const centred = tf.sub(x, tf.mean(x, -1, true))
  const variance = tf.mean(tf.square(centred), -1, true)
  return tf.add(tf.mul(tf.mul(centred, tf.rsqrt(tf.add(variance, epsilon))), weight), bias)
}

export const jaxLayerNorm = (
  { numpy: np }: Jax,
  x: JaxArray,
  weight: JaxArray,
  bias: JaxArray,
  epsilon = 1e-5,
): JaxArray => {
  const centred = np.subtract(x.ref, np.mean(x, -1, { keepdims: true }))
  const variance = np.mean(np.square(centred.ref), -1, { keepdims: true })
  return centred
    .div(np.sqrt(variance.add(epsilon)))
    .mul(weight)
    .add(bias)
}

/** x Φ(x): tfjs has erf but no gelu. */
export const tfGelu = (tf: Tfjs, x: Tensor): Tensor =>
  tf.mul(tf.mul(x, 0.5), tf.add(tf.erf(tf.mul(x, Math.SQRT1_2)), 1))
