/** @file The wasm back end of the pipeline. */
import { emitWasm, loadAssembler } from '@quern/codegen-wasm'
import { wasmTarget } from '@quern/loop-opt'
import type { BackEnd, EmittedCode } from './back-end.ts'

export const wasmBackEnd: BackEnd = {
  info: ({ relaxed = false, threads = false }) => wasmTarget({ relaxedSimd: relaxed, threads: threads ? 16 : 1 }),
  emitter: () => {
    const assemble = loadAssembler()
    return async (lowered, { states }, { threads = false, relaxed = false, onStage }) => {
      const { wat, layout, entries, ...emitted } = emitWasm(lowered, { threads, relaxed, states, clock: true })
      onStage?.('wat', wat)
      return {
        ...emitted,
        target: 'wasm',
        variant: ['simd', ...(relaxed ? ['relaxed'] : []), ...(threads ? ['threads'] : [])].join('-'),
        endings: { code: 'wasm', weights: 'weights' },
        code: await assemble(wat, { threads, relaxed }),
        entries: Object.fromEntries(
          Object.entries(entries).map(
            ([name, { inputs, outputs, ...wasm }]): [string, EmittedCode['entries'][string]] => [
              name,
              { inputs, outputs, wasm },
            ],
          ),
        ),
        features: relaxed ? ['relaxed-simd'] : [],
        wasm: layout,
      }
    }
  },
}
