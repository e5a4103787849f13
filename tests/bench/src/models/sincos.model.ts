/** @file sin(x) + cos(x): the classic example of fusion. */
import { add, cos, dim, model, sin, tensor } from '@quern/model'

export default model({ x: tensor('f32', [dim('n')]) }, ({ x }) => ({ y: add(sin(x), cos(x)) }))
