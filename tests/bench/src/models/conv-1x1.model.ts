/** @file 1 × 1, 256 → 256 channels. */
import { constant, model, nn, tensor } from '@quern/model'
import { conv1x1, convParameters, paddingOf } from '../networks/conv.ts'
import { seededWeights, weightOf } from '../networks/weights.ts'

const { name, from, to, size, kernel, stride } = conv1x1
const weights = seededWeights(convParameters(conv1x1))
const weight = constant(weightOf(weights, `${name}.weight`).data, 'f32', [to, from, kernel, kernel])
const bias = constant(weightOf(weights, `${name}.bias`).data, 'f32', [to])
export default model({ x: tensor('f32', [1, from, size, size]) }, ({ x }) => ({
  y: nn.conv2d(x, { weight, bias }, { stride, padding: paddingOf(conv1x1) }),
}))
