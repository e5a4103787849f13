/** @file The states of forks in one memory: each sees its own, and of a fork that is gone nothing is kept. */
import type { Manifest, WasmLayout } from '@quern/artifact'
import { beforeEach, expect, it } from 'vitest'
import type { WasmInstance } from './instance.ts'
import { answerRequest } from './messages.ts'
import { type WasmStates, wasmStates } from './states.ts'
import { bareManifest } from '../testing/bare-manifest.ts'

const layout: WasmLayout = { symbols: {}, constantsAt: 64, statesAt: 128, arenaAt: 192 }
const manifest: Manifest = {
  ...bareManifest,
  states: [
    { name: 'total', dtype: 'f32', shape: [2], at: 128, init: 0 },
    { name: 'count', dtype: 'i32', shape: [], at: 144 },
  ],
}

let states: WasmStates
let memory: WebAssembly.Memory
beforeEach(() => {
  memory = new WebAssembly.Memory({ initial: 1 })
  new Float32Array(memory.buffer, layout.constantsAt, 2).set([1, 2])
  states = wasmStates(manifest, layout, memory)
  states.remember()
})
const total = (fork: number) => [...(states.read(fork, 'total') as Float32Array)]

it('begins every fork with the initial values, and keeps what each wrote', () => {
  states.write(0, 'total', Float32Array.of(5, 6))
  expect(total(1)).toEqual([1, 2])
  states.write(1, 'count', Int32Array.of(9))
  states.write(2, 'total', Float32Array.of(7, 8))
  expect([total(0), total(1), total(2)]).toEqual([
    [5, 6],
    [1, 2],
    [7, 8],
  ])
  expect([states.read(1, 'count'), states.read(2, 'count')]).toEqual([Int32Array.of(9), Int32Array.of(0)])
  states.reset(1, 'count')
  expect(states.read(1, 'count')).toEqual(Int32Array.of(0))
})

it.each([
  ['that another ran after', (): void => states.use(0)],
  ['that ran last', (): void => {}],
])('keeps nothing of a dropped fork %s', (_, between) => {
  states.write(1, 'total', Float32Array.of(7, 8))
  between()
  answerRequest({ states, memory } as WasmInstance, { kind: 'drop-fork', fork: 1 })
  expect(total(0)).toEqual([1, 2])
  // Numbers of forks are not used again; here one tells whether anything was kept under it.
  expect(total(1)).toEqual([1, 2])
})
