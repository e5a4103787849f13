/** @file Layer norm over rows. */
import { constant, model, nn, tensor } from '@quern/model'
import { layerNormParameters } from '../networks/layer-norm.ts'
import { seededWeights, weightOf } from '../networks/weights.ts'

const weights = seededWeights(layerNormParameters)
const weight = constant(weightOf(weights, 'layer-norm.weight').data, 'f32', [768])
const bias = constant(weightOf(weights, 'layer-norm.bias').data, 'f32', [768])
export default model({ x: tensor('f32', [512, 768]) }, ({ x }) => ({ y: nn.layerNorm(x, { weight, bias }) }))
