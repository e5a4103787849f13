/** @file A bias and a gelu in its tanh form. */
import { add, constant, model, nn, tensor } from '@quern/model'
import { seeded } from '../networks/weights.ts'

const bias = constant(seeded('gelu.b', 1024), 'f32', [1024])
export default model({ x: tensor('f32', [4096, 1024]) }, ({ x }) => ({
  y: nn.gelu(add(x, bias), { approximate: 'tanh' }),
}))
