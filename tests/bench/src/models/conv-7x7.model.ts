/** @file 7 × 7, stride 2: the first layer of a ResNet. */
import { constant, model, nn, tensor } from '@quern/model'
import { conv7x7, convParameters, paddingOf } from '../networks/conv.ts'
import { seededWeights, weightOf } from '../networks/weights.ts'

const { name, from, to, size, kernel, stride } = conv7x7
const weights = seededWeights(convParameters(conv7x7))
const weight = constant(weightOf(weights, `${name}.weight`).data, 'f32', [to, from, kernel, kernel])
const bias = constant(weightOf(weights, `${name}.bias`).data, 'f32', [to])
export default model({ x: tensor('f32', [1, from, size, size]) }, ({ x }) => ({
  y: nn.conv2d(x, { weight, bias }, { stride, padding: paddingOf(conv7x7) }),
}))
