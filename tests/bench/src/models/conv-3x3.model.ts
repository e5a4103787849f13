/** @file 3 × 3, 64 → 64 channels. */
import { constant, model, nn, tensor } from '@quern/model'
import { conv3x3, convParameters, paddingOf } from '../networks/conv.ts'
import { seededWeights, weightOf } from '../networks/weights.ts'

const { name, from, to, size, kernel, stride } = conv3x3
const weights = seededWeights(convParameters(conv3x3))
const weight = constant(weightOf(weights, `${name}.weight`).data, 'f32', [to, from, kernel, kernel])
const bias = constant(weightOf(weights, `${name}.bias`).data, 'f32', [to])
export default model({ x: tensor('f32', [1, from, size, size]) }, ({ x }) => ({
  y: nn.conv2d(x, { weight, bias }, { stride, padding: paddingOf(conv3x3) }),
}))
