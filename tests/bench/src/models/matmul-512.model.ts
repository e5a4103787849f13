/** @file A product of two 512 × 512 matrices, both known only at run time. */
import { matmul, model, tensor } from '@quern/model'

const matrix = tensor('f32', [512, 512])
export default model({ a: matrix, b: matrix }, ({ a, b }) => ({ y: matmul(a, b) }))
