/** @file What load() and run() refuse to be asked for, and in what words. */
import type { LoadOptions, RunOptions } from '@quern/artifact'
import { expect, it } from 'vitest'
import { checkLoadOptions, checkRunOptions } from './check-options.ts'

const thrown = (check: () => void): string => {
  try {
    check()
  } catch (error) {
    return (error as Error).message
  }
  return 'nothing'
}

it.each([
  [
    { divice: 'wasm' },
    '[option/unknown-name] there is no option of load() named divice; the nearest of device, thread, dims, threads, onProgress, signal is device',
  ],
  [{ thread: 2 }, '[option/wrong] the option thread must be one of auto, caller, worker, not number 2'],
  [{ device: 'gpu' }, '[option/wrong] the option device must be one of auto, wasm, webgpu, not "gpu"'],
  [{ threads: 0 }, '[option/wrong] the option threads must be a whole number above 0, not number 0'],
  [{ threads: 1.5 }, '[option/wrong] the option threads must be a whole number above 0, not number 1.5'],
  [{ threads: '2' }, '[option/wrong] the option threads must be a whole number above 0, not "2"'],
  [{ dims: null }, '[option/wrong] the option dims must be an object, not object null'],
  [{ onProgress: true }, '[option/wrong] the option onProgress must be a function, not boolean true'],
  [
    { signal: new AbortController() },
    '[option/wrong] the option signal must be an AbortSignal, not object [object AbortController]',
  ],
  ['wasm', '[option/wrong] what load() is given must be an object, not "wasm"'],
  [{ device: undefined, signal: AbortSignal.abort(), threads: 3, dims: { n: 1 }, onProgress: () => {} }, 'nothing'],
  [{}, 'nothing'],
])('load(%j)', (options, message) => expect(thrown(() => checkLoadOptions(options as LoadOptions))).toBe(message))

it.each([
  [
    { output: 'cpu' },
    '[option/unknown-name] there is no option of run() named output; the nearest of signal, outputs, into is outputs',
  ],
  [{ outputs: 'gpu' }, '[option/wrong] the option outputs must be one of cpu, device, not "gpu"'],
  [{ into: 3 }, '[option/wrong] the option into must be an object, not number 3'],
  [{ outputs: 'device', into: undefined }, 'nothing'],
])('run(inputs, %j)', (options, message) =>
  expect(thrown(() => checkRunOptions(options as RunOptions<Record<string, never>>))).toBe(message),
)
