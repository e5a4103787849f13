/** @file Plays the steps of a plan into a recorder; stops to ask the device where a step hangs on data. */
import type { GpuStep } from '@quern/artifact'
import { evaluate } from '../expr.ts'
import type { Recorder } from './recorder.ts'

/** @param each is called after each dispatch was recorded */
export type Play = (
  steps: readonly GpuStep[],
  buffers: readonly GPUBuffer[],
  symbols: Record<string, number>,
  each?: (step: GpuStep) => Promise<void>,
) => Promise<void>

export const player = (recorder: Recorder): Play => {
  const play: Play = async (steps, buffers, symbols, each) => {
    const at = (i: number): GPUBuffer => {
      const found = buffers[i]
      if (found === undefined) throw new Error(`no buffer ${i}`)
      return found
    }
    const word = (i: number): Promise<number> =>
      recorder.read([{ buffer: at(i), bytes: 4 }], ([part]) =>
        new DataView(part?.buffer ?? new ArrayBuffer(4), part?.byteOffset ?? 0).getInt32(0, true),
      )
    /** A bool is a word of 0 or 1, or a byte where it is packed. */
    const holds = async (i: number): Promise<boolean> => ((await word(i)) & 0xff) !== 0
    for (const step of steps)
      switch (step.kind) {
        case 'dispatch':
          recorder.dispatch(step, step.bindings.map(at), symbols)
          await each?.(step)
          break
        case 'copy':
          recorder.copy(
            at(step.from),
            evaluate(step.fromAt ?? 0, symbols),
            at(step.to),
            evaluate(step.toAt ?? 0, symbols),
            evaluate(step.bytes, symbols),
          )
          break
        case 'clear':
          recorder.clear(at(step.buffer))
          break
        case 'define': {
          const most = step.max === undefined ? Infinity : evaluate(step.max, symbols)
          symbols[step.symbol] = Math.max(0, Math.min(most, await word(step.buffer)))
          break
        }
        case 'if':
          await play((await holds(step.condition)) ? step.then : step.else, buffers, symbols, each)
          break
        case 'loop': {
          const limit =
            step.limitBuffer !== undefined
              ? await word(step.limitBuffer)
              : step.limit === undefined
                ? Infinity
                : evaluate(step.limit, symbols)
          for (let trip = 0; trip < limit; trip++) {
            if (step.condition !== undefined && !(await holds(step.condition))) break
            if (step.counter !== undefined) symbols[step.counter] = trip
            await play(step.body, buffers, symbols, each)
          }
        }
      }
  }
  return play
}
