/** @file Quern: compiled by its plugin when this page was built. */
import type { LoadOptions, Model, Specs } from '@quern/artifact'
import { elements } from '../networks/weights.ts'
import type { Peer } from './contestant.ts'

const models = import.meta.glob<{ readonly default: Model<Specs, Specs> }>('../models/*.model.ts')

/** With all cores, what an app gets that asks for nothing: a model that is predicted to be short stays on the caller's thread. */
const loadOptions = (threads: number): LoadOptions => {
  if (threads === 1) return { device: 'wasm', thread: 'caller', threads }
  return threads === navigator.hardwareConcurrency ? { device: 'wasm' } : { device: 'wasm', threads }
}

export const quern: Peer = {
  id: 'quern',
  async open({ workload, inputs, threads }) {
    const load = models[`../models/${workload.name}.model.ts`]
    if (load === undefined) throw new Error(`there is no model file for ${workload.name}`)
    const { default: model } = await load()
    const net = await model.load(loadOptions(threads))
    const states = workload.quern?.states(inputs) ?? {}
    for (const [name, data] of Object.entries(states)) await net.state.write(name, data)
    const given = Object.fromEntries(
      Object.entries(inputs).flatMap(([name, input]) => (name in states ? [] : [[name, input.data]])),
    )
    const into = { y: new Float32Array(elements(workload.output)) }
    return {
      run: async () => {
        const { y } = await net.run(given, { into })
        return y?.data as Float32Array
      },
    }
  },
}
