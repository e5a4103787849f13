/** @file An app with a model of Quern. */
import model from 'measured:quern'
import { input, show } from './app.ts'

const net = await model.load({ device: 'wasm' })
const { y } = await net.run({ x: input() })
show(y.data)
