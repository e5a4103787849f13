/** @file onnxruntime-web on wasm, fed the model as an exporter writes it. */
import * as ort from 'onnxruntime-web/wasm'
import type { Peer } from './contestant.ts'

export const onnxruntime: Peer = {
  id: 'ort',
  async open({ workload, inputs, threads }) {
    ort.env.wasm.numThreads = threads
    ort.env.wasm.wasmPaths = new URL('ort/', document.baseURI).href
    const response = await fetch(`onnx/${workload.name}.onnx`)
    const session = await ort.InferenceSession.create(new Uint8Array(await response.arrayBuffer()), {
      executionProviders: ['wasm'],
    })
    return {
      run: async () => {
        const feeds = Object.fromEntries(
          Object.entries(inputs).map(([name, { data, shape }]) => [
            name,
            data instanceof Float32Array
              ? new ort.Tensor('float32', data, shape)
              : new ort.Tensor('int32', data, shape),
          ]),
        )
        const { y } = await session.run(feeds)
        return y?.data as Float32Array
      },
    }
  },
}
