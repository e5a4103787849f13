/** @file An app with onnxruntime-web: its smaller build, for wasm alone. */
import * as ort from 'onnxruntime-web/wasm'
import { input, show } from './app.ts'

const session = await ort.InferenceSession.create('model.onnx', { executionProviders: ['wasm'] })
const { y } = await session.run({ x: new ort.Tensor('float32', input(), INPUT_SHAPE) })
show(y?.data as Float32Array)
