/** @file Softmax over rows. */
import { model, nn, tensor } from '@quern/model'

export default model({ x: tensor('f32', [512, 512]) }, ({ x }) => ({ y: nn.softmax(x) }))
