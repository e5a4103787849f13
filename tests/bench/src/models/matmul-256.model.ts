/** @file A product of two 256 × 256 matrices, both known only at run time. */
import { matmul, model, tensor } from '@quern/model'

const matrix = tensor('f32', [256, 256])
export default model({ a: matrix, b: matrix }, ({ a, b }) => ({ y: matmul(a, b) }))
