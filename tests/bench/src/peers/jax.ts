/** @file jax-js on wasm: one `jit` around the whole forward function, with the weights as arguments. */
import * as jax from '@jax-js/jax'
import type { JaxArray } from '../workloads/workload.ts'
import type { Peer } from './contestant.ts'

export const jaxjs: Peer = {
  id: 'jax',
  async open({ workload, inputs, weights }) {
    await jax.init('wasm')
    jax.defaultDevice('wasm')
    const form = workload.jax
    const array = ({ shape, data }: { readonly shape: readonly number[]; readonly data: Float32Array | Int32Array }) =>
      jax.numpy.array(data as Float32Array<ArrayBuffer>, { shape: [...shape] })
    const held = Object.fromEntries(
      Object.entries(form.weights?.(weights()) ?? weights()).map(([name, w]) => [name, array(w)]),
    )
    const given = Object.entries(form.inputs?.(inputs) ?? inputs)
    const forward = form.build(jax)
    const compiled = jax.jit((x: Record<string, JaxArray>, w: Record<string, JaxArray>) => [...forward(x, w)])
    return {
      run: async () => {
        const [y, ...kept] = compiled(
          Object.fromEntries(given.map(([name, input]) => [name, array(input)])),
          jax.tree.ref(held),
        )
        const data = (await y?.data()) as Float32Array
        for (const state of kept) state.dispose()
        return data
      },
      ...(form.output && { judged: form.output }),
    }
  },
}
