/**
 * @file TensorFlow.js on wasm, from its UMD builds: bundled, its threaded backend hangs on an isolated page. Its users hold
 * weights as tensors and run one function in `tidy`.
 */
import type * as wasmBackend from '@tensorflow/tfjs-backend-wasm'
import type { Tensor } from '@tensorflow/tfjs-core'
import type { Tfjs } from '../workloads/workload.ts'
import type { Peer } from './contestant.ts'

const script = (src: string): Promise<void> =>
  new Promise((resolve, reject) => {
    const element = Object.assign(document.createElement('script'), { src })
    element.onload = () => resolve()
    element.onerror = () => reject(new Error(`${src} could not be loaded`))
    document.head.append(element)
  })

export const tfjs: Peer = {
  id: 'tfjs',
  async open({ workload, inputs, weights, threads }) {
    await script('tfjs/tf-core.min.js')
    await script('tfjs/tf-backend-wasm.min.js')
    const { tf } = window as unknown as { readonly tf: Tfjs & { readonly wasm: typeof wasmBackend } }
    tf.wasm.setWasmPaths(new URL('tfjs/', document.baseURI).href)
    // With one thread the module without threads is the faster one.
    if (threads === 1) tf.env().set('WASM_HAS_MULTITHREAD_SUPPORT', false)
    else tf.wasm.setThreadsCount(threads)
    await tf.setBackend('wasm')
    await tf.ready()

    const form = workload.tfjs
    const held = Object.fromEntries(
      Object.entries(form.weights?.(weights()) ?? weights()).map(([name, { shape, data }]) => [
        name,
        tf.tensor(data, [...shape]),
      ]),
    )
    const given = Object.entries(form.inputs?.(inputs) ?? inputs)
    const forward = form.build(tf)
    return {
      run: () => {
        const results = tf.tidy((): Tensor[] => {
          const tensors = given.map(([name, { shape, data }]) => [
            name,
            tf.tensor(data, [...shape], data instanceof Float32Array ? 'float32' : 'int32'),
          ])
          return [...forward(Object.fromEntries(tensors), held)]
        })
        const data = results[0]?.dataSync() as Float32Array
        tf.dispose(results)
        return data
      },
      ...(form.output && { judged: form.output }),
    }
  },
}
