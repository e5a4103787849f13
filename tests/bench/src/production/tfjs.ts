/** @file An app with tfjs: the core and the wasm backend, without the other backends and the layers. */
import { setWasmPaths } from '@tensorflow/tfjs-backend-wasm'
import plain from '@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm.wasm?url'
import simd from '@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm-simd.wasm?url'
import threaded from '@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm-threaded-simd.wasm?url'
import * as tf from '@tensorflow/tfjs-core'
import { forward } from 'measured:tfjs'
import { input, show } from './app.ts'
import { readWeights } from './weights-file.ts'

setWasmPaths({
  'tfjs-backend-wasm.wasm': plain,
  'tfjs-backend-wasm-simd.wasm': simd,
  'tfjs-backend-wasm-threaded-simd.wasm': threaded,
})
const [weights] = await Promise.all([
  fetch('model.bin').then(async r => readWeights(await r.arrayBuffer())),
  tf.setBackend('wasm'),
])
const held = Object.fromEntries(
  Object.entries(weights).map(([name, { shape, data }]) => [name, tf.tensor(data, [...shape])]),
)
const [y] = tf.tidy(() => [...forward(tf)({ x: tf.tensor(input(), [...INPUT_SHAPE]) }, held)])
show((await y?.data()) as Float32Array)
