/** @file From PyTorch's and ONNX's layouts to those of TensorFlow. */
import { elements, type NumericArray } from './weights.ts'

/** The same elements with permuted dims. */
export const permuted = ({ shape, data }: NumericArray, perm: readonly number[]): NumericArray => {
  const to = perm.map(p => shape[p] ?? 1)
  const strides = shape.map((_, d) => elements(shape.slice(d + 1)))
  const steps = perm.map(p => strides[p] ?? 0)
  const out = new Float32Array(data.length)
  const index = to.map(() => 0)
  let from = 0
  for (let i = 0; i < out.length; i++) {
    out[i] = data[from] ?? 0
    for (let d = to.length - 1; d >= 0; d--) {
      index[d] = (index[d] ?? 0) + 1
      from += steps[d] ?? 0
      if ((index[d] ?? 0) < (to[d] ?? 1)) break
      from -= (steps[d] ?? 0) * (to[d] ?? 1)
      index[d] = 0
    }
  }
  return { shape: to, data: out }
}

/** [n, c, h, w] → [n, h, w, c]. */
export const toChannelsLast = (x: NumericArray): NumericArray => permuted(x, [0, 2, 3, 1])
/** [n, h, w, c] → [n, c, h, w]. */
export const toChannelsFirst = (x: NumericArray): NumericArray => permuted(x, [0, 3, 1, 2])
/** [out, in, kh, kw] → [kh, kw, in, out], of a convolution. */
export const convWeight = (w: NumericArray): NumericArray => permuted(w, [2, 3, 1, 0])
/** [channels, 1, kh, kw] → [kh, kw, channels, 1], of a depthwise convolution. */
export const depthwiseWeight = (w: NumericArray): NumericArray => permuted(w, [2, 3, 0, 1])
/** [out, in] → [in, out]. */
export const linearWeight = (w: NumericArray): NumericArray => permuted(w, [1, 0])
