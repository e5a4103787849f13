/** @file What `load()` returns: plain objects over an executor. Concurrent runs queue in order. */
import {
  type DeviceTensor,
  type Entry,
  type KernelTime,
  type Manifest,
  QuernError,
  type Report,
  type RunOptions,
  type StateAccess,
  type Tensor,
} from '@quern/artifact'
import { bindInputs, bindInto } from './bind-inputs.ts'
import { checkRunOptions } from './check-options.ts'
import type { Executor, ExecutorOutput, ExecutorRun } from './executor.ts'

export interface LoadFacts {
  readonly reasons: readonly string[]
  readonly codeBytes: number
  readonly weightBytes: number
  readonly checked: Report['checked']
  readonly ms: { readonly load: number; readonly compile: number }
}

type AnyInputs = Readonly<Record<string, unknown>>
type AnyOptions = RunOptions<Record<string, never>>
export interface AnyRunner {
  run(inputs: AnyInputs, options?: AnyOptions): Promise<Record<string, Tensor | DeviceTensor>>
  profile(inputs: AnyInputs): Promise<readonly KernelTime[]>
}
export interface AnyLoaded {
  readonly state: StateAccess
  fork(): Promise<AnyLoaded>
  report(): Report
  dispose(): Promise<void>
}

const abortError = (signal: AbortSignal): QuernError =>
  new QuernError(
    'run/aborted',
    'the run was aborted by its signal; a wasm run in progress ends by itself, and its result is dropped',
    {},
    signal.reason,
  )

export const loadedModel = (
  kind: 'model' | 'program',
  manifest: Manifest,
  executor: Executor,
  facts: LoadFacts,
): AnyLoaded => {
  let tail: Promise<unknown> = Promise.resolve()
  let lastRun = 0
  let disposing: Promise<void> | undefined
  const alive = (): void => {
    if (disposing !== undefined)
      throw new QuernError('model/disposed', `${manifest.name} was disposed: load it again`, {})
  }
  /** Runs after everything queued before it, whatever became of that. */
  const enqueue = <T>(work: () => Promise<T>): Promise<T> => {
    const result = tail.then(() => {
      alive()
      return work()
    })
    tail = result.catch(() => {})
    return result
  }
  const prepare = (
    name: string,
    entry: Entry,
    inputs: AnyInputs,
    { into = {}, outputs = 'cpu' }: AnyOptions,
  ): ExecutorRun => {
    if (outputs === 'device' && Object.keys(into).length > 0)
      throw new QuernError(
        'output/into-on-device',
        "`into` fills arrays of the host: leave out outputs: 'device', or `into`",
        {},
      )
    const bound = bindInputs<DeviceTensor>(manifest, entry, inputs, executor.deviceTensor)
    return {
      entry: name,
      inputs: bound.inputs.map(b => b.value),
      symbols: bound.symbols,
      outputs,
      into: bindInto(entry, into),
    }
  }
  const isDeviceTensor = (o: ExecutorOutput): o is DeviceTensor => 'device' in o
  const runner = (name: string, entry: Entry): AnyRunner => ({
    run: async (inputs, options = {}) => {
      alive()
      checkRunOptions(options)
      const { signal } = options
      if (signal?.aborted === true) throw abortError(signal)
      const run = prepare(name, entry, inputs, options)
      const start = performance.now()
      const work = enqueue(() => {
        if (signal?.aborted === true) throw abortError(signal)
        return executor.run(run)
      })
      const outputs = await (signal === undefined ? work : untilAborted(signal, work))
      lastRun = performance.now() - start
      return Object.fromEntries(
        entry.outputs.map((port, i) => {
          const output = outputs[i]
          if (output === undefined) throw new Error(`no output ${port.name}`)
          return [
            port.name,
            isDeviceTensor(output) ? output : { dtype: port.dtype, shape: output.shape, data: output.data },
          ]
        }),
      )
    },
    profile: async inputs => {
      alive()
      const run = prepare(name, entry, inputs, {})
      return enqueue(() => executor.profile(run))
    },
  })
  const state: StateAccess = {
    read: name =>
      enqueue(async () => {
        const data = await executor.readState(name)
        const port = manifest.states.find(s => s.name === name)
        return { dtype: port?.dtype ?? 'f32', shape: port?.shape ?? [data.length], data }
      }),
    write: (name, data) => enqueue(() => executor.writeState(name, data)),
    reset: name => enqueue(() => executor.resetState(name)),
  }
  const common: AnyLoaded = {
    state,
    fork: () => enqueue(async () => loadedModel(kind, manifest, await executor.fork(), facts)),
    report: () => {
      const { arena, peak, dispatches, submits } = executor.stats()
      return {
        device: executor.device,
        reasons: facts.reasons,
        thread: executor.thread,
        threads: executor.threads,
        features: executor.features,
        bytes: { code: facts.codeBytes, weights: facts.weightBytes, arena, peak },
        ms: { ...facts.ms, lastRun },
        dispatches,
        submits,
        checked: facts.checked,
      }
    },
    dispose: () => (disposing ??= executor.dispose(tail)),
  }
  const runners = Object.fromEntries(
    Object.entries(manifest.entries).map(([name, entry]) => [name, runner(name, entry)]),
  )
  return kind === 'program' ? { ...runners, ...common } : { ...runners['main'], ...common }
}

/** The signal may live long: nothing stays on it. */
const untilAborted = async <T>(signal: AbortSignal, work: Promise<T>): Promise<T> => {
  let stop = (): void => {}
  const aborted = new Promise<never>((_, reject) => {
    stop = () => reject(abortError(signal))
    signal.addEventListener('abort', stop, { once: true })
  })
  try {
    return await Promise.race([work, aborted])
  } finally {
    signal.removeEventListener('abort', stop)
  }
}
