/** @file A perceptron for digits, 784-256-10. */
import { constant, model, nn, tensor } from '@quern/model'
import { mlpParameters } from '../networks/mlp.ts'
import { seededWeights, weightOf } from '../networks/weights.ts'

const weights = seededWeights(mlpParameters)
const data = (name: string) => weightOf(weights, name).data
const fc1 = { weight: constant(data('fc1.weight'), 'f32', [256, 784]), bias: constant(data('fc1.bias'), 'f32', [256]) }
const fc2 = { weight: constant(data('fc2.weight'), 'f32', [10, 256]), bias: constant(data('fc2.bias'), 'f32', [10]) }
export default model({ x: tensor('f32', [1, 784]) }, ({ x }) => ({
  y: nn.softmax(nn.linear(nn.relu(nn.linear(x, fc1)), fc2)),
}))
