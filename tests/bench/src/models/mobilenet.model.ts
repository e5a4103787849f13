/** @file MobileNetV2-1.0 as it comes out of training: batch norms are not folded here, but by the compiler. */
import { type Tensor, add, clamp, constant, div, mean, model, mul, nn, sqrt, sub, tensor } from '@quern/model'
import { type ConvLayer, blocks, classes, epsilon, parameters, size } from '../networks/mobilenet.ts'
import { seededWeights, weightOf } from '../networks/weights.ts'

type Images = Tensor<'f32', readonly [1, number, number, number]>

const weights = seededWeights(parameters)
const weight = <const S extends readonly number[]>(name: string, shape: S): Tensor<'f32', S> =>
  constant(weightOf(weights, name).data, 'f32', shape)

const batchNorm = (x: Images, name: string, channels: number): Images => {
  const part = (kind: string) => weight(`${name}.${kind}`, [channels, 1, 1])
  const factor = div(part('gamma'), sqrt(add(part('variance'), epsilon)))
  return add(mul(sub(x, part('mean')), factor), part('beta')) as Images
}

const layer = (x: Images, { name, from, to, kernel, stride, depthwise, clipped }: ConvLayer): Images => {
  const convolved = nn.conv2d(
    x,
    { weight: weight(`${name}.conv`, [to, depthwise ? 1 : from, kernel, kernel]) },
    { stride, padding: kernel >> 1, groups: depthwise ? from : 1 },
  )
  const y = batchNorm(convolved, name, to)
  return clipped ? clamp(y, 0, 6) : y
}

export default model({ x: tensor('f32', [1, 3, size, size]) }, ({ x }) => {
  const features = blocks.reduce((before: Images, { layers, residual }) => {
    const after = layers.reduce(layer, before)
    return residual ? (add(before, after) as Images) : after
  }, x)
  const classifier = {
    weight: weight('classifier.weight', [classes, 1280]),
    bias: weight('classifier.bias', [classes]),
  }
  return { y: nn.linear(mean(features, { axes: [2, 3] }), classifier) }
})
