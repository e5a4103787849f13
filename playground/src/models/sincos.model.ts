/** @file The classic example of fusion: three operations, one pass over memory. */
import { add, cos, dim, model, sin, tensor } from '@quern/model'

export default model({ x: tensor('f32', [dim('n')]) }, ({ x }) => ({ y: add(sin(x), cos(x)) }))
