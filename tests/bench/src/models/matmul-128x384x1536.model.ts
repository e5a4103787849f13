/** @file 128 × 384 by a constant 384 × 1536. */
import { constant, matmul, model, tensor } from '@quern/model'
import { seeded } from '../networks/weights.ts'

const b = constant(seeded('matmul-128x384x1536.b', 384 * 1536), 'f32', [384, 1536])
export default model({ a: tensor('f32', [128, 384]) }, ({ a }) => ({ y: matmul(a, b) }))
