/** @file onnxruntime-web on wasm, one thread. */
import * as ort from 'onnxruntime-web/wasm'

ort.env.wasm.numThreads = 1
ort.env.wasm.wasmPaths = new URL('ort/', document.baseURI).href

export const openSession = (model: Uint8Array): Promise<ort.InferenceSession> =>
  ort.InferenceSession.create(model, { executionProviders: ['wasm'] })

export const runSession = async (
  session: ort.InferenceSession,
  inputs: Readonly<Record<string, { data: Float32Array; dims: readonly number[] }>>,
  output: string,
): Promise<Float32Array> => {
  const feeds = Object.fromEntries(
    Object.entries(inputs).map(([name, { data, dims }]) => [name, new ort.Tensor('float32', data, dims)]),
  )
  const result = await session.run(feeds)
  return result[output]?.data as Float32Array
}
