/** @file 1 × 1024 by a constant 1024 × 4096. */
import { constant, matmul, model, tensor } from '@quern/model'
import { seeded } from '../networks/weights.ts'

const b = constant(seeded('matmul-1x1024x4096.b', 1024 * 4096), 'f32', [1024, 4096])
export default model({ a: tensor('f32', [1, 1024]) }, ({ a }) => ({ y: matmul(a, b) }))
