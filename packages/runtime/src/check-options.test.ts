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
    '[option/unknown-name] there is no option of load() named divice; did you mean device? There are device, thread, dims, threads, onProgress, signal',
  ],
  [{ thread: 2 }, "[option/wrong] the option thread of load() is 'auto' or 'caller' or 'worker', not 2"],
  [{ device: 'gpu' }, "[option/wrong] the option device of load() is 'auto' or 'wasm' or 'webgpu', not 'gpu'"],
  [{ threads: 0 }, '[option/wrong] the option threads of load() is a whole number above 0, not 0'],
  [{ threads: 1.5 }, '[option/wrong] the option threads of load() is a whole number above 0, not 1.5'],
  [{ threads: '2' }, "[option/wrong] the option threads of load() is a whole number above 0, not '2'"],
  [{ dims: null }, '[option/wrong] the option dims of load() is an object, not null'],
  [{ onProgress: true }, '[option/wrong] the option onProgress of load() is a function, not true'],
  [
    { signal: new AbortController() },
    '[option/wrong] the option signal of load() is an AbortSignal, not [object AbortController]',
  ],
  ['wasm', "[option/wrong] what load() takes as options is an object, not 'wasm'"],
  [{ device: undefined, signal: AbortSignal.abort(), threads: 3, dims: { n: 1 }, onProgress: () => {} }, 'nothing'],
  [{}, 'nothing'],
])('load(%j)', (options, message) => expect(thrown(() => checkLoadOptions(options as LoadOptions))).toBe(message))

it.each([
  [
    { output: 'cpu' },
    '[option/unknown-name] there is no option of run() named output; did you mean outputs? There are signal, outputs, into',
  ],
  [{ outputs: 'gpu' }, "[option/wrong] the option outputs of run() is 'cpu' or 'device', not 'gpu'"],
  [{ into: 3 }, '[option/wrong] the option into of run() is an object, not 3'],
  [{ outputs: 'device', into: undefined }, 'nothing'],
])('run(inputs, %j)', (options, message) =>
  expect(thrown(() => checkRunOptions(options as RunOptions<Record<string, never>>))).toBe(message),
)
