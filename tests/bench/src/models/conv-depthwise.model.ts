/** @file 3 × 3, each of 128 channels for itself. */
import { constant, model, nn, tensor } from '@quern/model'
import { depthwise3x3, convParameters, paddingOf } from '../networks/conv.ts'
import { seededWeights, weightOf } from '../networks/weights.ts'

const { name, from, to, size, kernel, stride } = depthwise3x3
const weights = seededWeights(convParameters(depthwise3x3))
const weight = constant(weightOf(weights, `${name}.weight`).data, 'f32', [to, 1, kernel, kernel])
const bias = constant(weightOf(weights, `${name}.bias`).data, 'f32', [to])
export default model({ x: tensor('f32', [1, from, size, size]) }, ({ x }) => ({
  y: nn.conv2d(x, { weight, bias }, { stride, padding: paddingOf(depthwise3x3), groups: from }),
}))
