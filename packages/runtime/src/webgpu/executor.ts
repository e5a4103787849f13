/** @file Runs the entries of a WebGPU artifact on a device: in a page, a worker, or Node with Dawn. */
import {
  type Entry,
  type GpuEntry,
  type GpuShader,
  type HostArray,
  type KernelTime,
  type Manifest,
  QuernError,
  bytesOf,
  statusReasons,
} from '@quern/artifact'
import type { Executor, ExecutorOutput, ExecutorRun } from '../executor.ts'
import { checkInto, checkState } from '../check-sizes.ts'
import { evaluate } from '../expr.ts'
import { fromDevice, toDevice } from './convert.ts'
import { gpuTensor, gpuTensorOf } from './device-tensor.ts'
import { player } from './play.ts'
import { type GpuProgram, createProgram } from './program.ts'
import { type Counters, createRecorder } from './recorder.ts'
import { createStates } from './states.ts'

/**
 * @param code a JSON array of shaders, as the manifest's `code` file holds it
 * @param weights may still be on their way: pipelines compile meanwhile
 */
export const webgpuExecutor = async (
  device: GPUDevice,
  manifest: Manifest,
  code: Uint8Array,
  weights: Uint8Array | Promise<Uint8Array>,
): Promise<Executor> => {
  const shaders = JSON.parse(new TextDecoder().decode(code)) as readonly GpuShader[]
  return executorOver(await createProgram(device, manifest, shaders, weights))
}

const executorOver = async (program: GpuProgram): Promise<Executor> => {
  const { device, manifest, check } = program
  const states = await createStates(program).catch((error: unknown) => {
    // Nobody will dispose of a fork that was never made.
    program.release()
    throw error
  })
  const counters: Counters = { dispatches: 0, submits: 0 }
  const recorder = createRecorder(program, counters)
  /** Buffers of each entry, made on its first run and anew where they must grow. */
  const slots = new Map<string, (GPUBuffer | undefined)[]>()
  let last: Counters = { ...counters }
  let peak = 0

  const entryNamed = (name: string): { readonly entry: Entry; readonly gpu: GpuEntry } => {
    const entry = manifest.entries[name]
    if (entry?.webgpu === undefined)
      throw new QuernError('artifact/malformed', `the artifact ${manifest.name} has no entry ${name} for webgpu`, {
        entry: name,
      })
    return { entry, gpu: entry.webgpu }
  }
  const slotBytes = (): number => [...slots.values()].flat().reduce((n, b) => n + (b === undefined ? 0 : b.size), 0)
  const stateBytes = states.buffers.reduce((n, b) => n + b.size, 0)

  const buffersFor = async (name: string, gpu: GpuEntry, symbols: Record<string, number>): Promise<GPUBuffer[]> => {
    const own = slots.get(name) ?? []
    slots.set(name, own)
    const wanted = gpu.buffers.map(b => Math.max(64, evaluate(b.bytes, symbols)))
    const grow = gpu.buffers.flatMap((b, i) => (b.kind === 'slot' && (own[i]?.size ?? 0) < (wanted[i] ?? 0) ? [i] : []))
    const { maxStorageBufferBindingSize: limit } = device.limits
    for (const i of grow)
      if ((wanted[i] ?? 0) > limit)
        throw new QuernError(
          'device/buffer-too-large',
          `this run needs a buffer of ${wanted[i]} bytes, and the GPU binds at most ${limit}`,
          { bytes: wanted[i], limit },
        )
    if (grow.length > 0) {
      for (const i of grow) {
        own[i]?.destroy()
        own[i] = undefined
      }
      recorder.forget()
      const made = await program.allocating('a run', storage => grow.map(i => storage(wanted[i] ?? 64)))
      grow.forEach((i, k) => (own[i] = made[k]))
    }
    peak = Math.max(peak, slotBytes() + stateBytes + program.constantBytes)
    return gpu.buffers.map((b, i) => {
      const at = b.at ?? 0
      const found = b.kind === 'slot' ? own[i] : b.kind === 'constant' ? program.constants.get(at) : states.buffers[at]
      if (found === undefined) throw new Error(`no ${b.kind} ${i}`)
      return found
    })
  }

  const play = player(recorder)
  const write = (to: GPUBuffer, bytes: Uint8Array<ArrayBuffer>): void =>
    program.guarded(() => device.queue.writeBuffer(to, 0, bytes))
  const begin = async (run: ExecutorRun) => {
    check()
    last = { ...counters }
    const { entry, gpu } = entryNamed(run.entry)
    const symbols = { ...run.symbols }
    const buffers = await buffersFor(run.entry, gpu, symbols)
    entry.inputs.forEach((port, i) => {
      const data = run.inputs[i]
      const to = buffers[port.buffer]
      if (data === undefined || to === undefined) throw new Error(`no input ${port.name}`)
      if ('device' in data) {
        const tensor = gpuTensorOf(device, data)
        if (tensor?.disposed === true)
          throw new QuernError('tensor/disposed', `the tensor given for ${port.name} was disposed`, {
            input: port.name,
          })
        if (tensor === undefined || tensor.held !== port.held)
          throw new QuernError(
            'input/other-device',
            `the tensor given for ${port.name} lives on another device, or in another representation: read() it, and pass what that gives`,
            {
              input: port.name,
            },
          )
        recorder.copy(tensor.buffer, 0, to, 0, Math.min(tensor.buffer.size, to.size))
      } else if (data.length > 0) write(to, toDevice(port, data))
    })
    return { entry, gpu, symbols, buffers }
  }

  const finish = async (
    run: ExecutorRun,
    { entry, gpu, symbols, buffers }: Awaited<ReturnType<typeof begin>>,
  ): Promise<readonly ExecutorOutput[]> => {
    const found = entry.outputs.map((port, i) => {
      const shape = port.shape.map(d => evaluate(d, symbols))
      const length = shape.reduce((n, d) => n * d, 1)
      const into = run.into[i]
      if (into !== undefined) checkInto(port, shape, into)
      const buffer = buffers[port.buffer]
      if (buffer === undefined) throw new Error(`no output ${port.name}`)
      return { port, shape, length, into, buffer, bytes: length * bytesOf[port.held ?? port.dtype] }
    })
    const status = gpu.status === undefined ? undefined : buffers[gpu.status]
    const statusRange = status === undefined ? [] : [{ buffer: status, bytes: 8 }]
    const kept =
      run.outputs === 'cpu'
        ? undefined
        : await program.allocating('outputs', storage =>
            found.map(({ bytes }) => storage(Math.max(64, Math.ceil(bytes / 64) * 64))),
          )
    kept?.forEach((to, i) => {
      const from = found[i]
      if (from !== undefined) recorder.copy(from.buffer, 0, to, 0, Math.ceil(from.bytes / 4) * 4)
    })
    try {
      if (kept === undefined)
        return await recorder.read([...found, ...statusRange], parts => {
          if (status !== undefined) throwStatus(manifest, parts[found.length])
          return found.map(({ port, shape, length, into }, i) => ({
            shape,
            data: fromDevice(port, parts[i] ?? new Uint8Array(), length, into),
          }))
        })
      if (status === undefined) recorder.submit()
      else await recorder.read(statusRange, ([part]) => throwStatus(manifest, part))
      check()
    } catch (error) {
      kept?.forEach(b => b.destroy())
      throw error
    }
    return found.map(({ port, shape }, i) => {
      const buffer = kept[i]
      if (buffer === undefined) throw new Error(`no output ${port.name}`)
      return gpuTensor(device, buffer, port, shape, readBytes)
    })
  }
  const readBytes = (buffer: GPUBuffer, bytes: number): Promise<Uint8Array<ArrayBuffer>> =>
    // A recorder of its own: a tensor may be read while a run is being recorded.
    withRecorder(program, reader => reader.read([{ buffer, bytes }], ([part]) => new Uint8Array(part ?? [])))

  /** What a failed run has recorded must not go out with the next one. */
  const recording = async <T>(work: () => Promise<T>): Promise<T> => {
    try {
      return await work()
    } catch (error) {
      recorder.discard()
      throw error
    }
  }

  const stateNamed = (name: string) => {
    const port = manifest.states.find(s => s.name === name)
    const buffer = port === undefined ? undefined : states.buffers[port.at]
    if (port === undefined || buffer === undefined)
      throw new QuernError(
        'state/unknown-name',
        `there is no state named ${name}; the states are ${manifest.states.map(s => s.name).join(', ') || 'none'}`,
        { name },
      )
    const length = port.shape.reduce((p, d) => p * d, 1)
    return { port, buffer, length, bytes: length * bytesOf[port.dtype] }
  }

  return {
    device: 'webgpu',
    thread: 'caller',
    threads: 1,
    features: manifest.features,
    run: run =>
      recording(async () => {
        const started = await begin(run)
        await play(started.gpu.steps, started.buffers, started.symbols)
        return finish(run, started)
      }),
    profile: run =>
      recording(async () => {
        const started = await begin(run)
        const times = new Map<string, { ms: number; runs: number }>()
        const done = async (): Promise<void> => {
          recorder.submit()
          await device.queue.onSubmittedWorkDone().catch(program.blame)
          check()
        }
        await done()
        await play(started.gpu.steps, started.buffers, started.symbols, async step => {
          const start = performance.now()
          await done()
          const kernel = step.kind === 'dispatch' ? (program.pipelines[step.shader]?.shader.kernel ?? '') : step.kind
          const { ms, runs } = times.get(kernel) ?? { ms: 0, runs: 0 }
          times.set(kernel, { ms: ms + performance.now() - start, runs: runs + 1 })
        })
        await done()
        return [...times].map(([kernel, t]): KernelTime => ({ kernel, ...t }))
      }),
    deviceTensor: value => {
      const tensor = gpuTensorOf(device, value)
      return tensor && { tensor, dtype: tensor.dtype, shape: tensor.shape }
    },
    readState: async name => {
      const { port, buffer, length, bytes } = stateNamed(name)
      return recorder.read([{ buffer, bytes }], ([part]) => fromDevice(port, part ?? new Uint8Array(), length))
    },
    writeState: async (name, data: HostArray) => {
      const { port, buffer } = stateNamed(name)
      checkState(port, data)
      check()
      write(buffer, toDevice(port, data))
    },
    resetState: async name => {
      if (name !== undefined) stateNamed(name)
      states.reset(name)
    },
    fork: async () => executorOver(program.share()),
    stats: () => ({
      arena: slotBytes(),
      peak,
      dispatches: counters.dispatches - last.dispatches,
      submits: counters.submits - last.submits,
    }),
    dispose: async idle => {
      await idle
      recorder.destroy()
      for (const buffer of [...slots.values()].flat()) buffer?.destroy()
      slots.clear()
      for (const buffer of states.buffers) buffer.destroy()
      program.release()
    },
  }
}

const withRecorder = async <T>(
  program: GpuProgram,
  work: (recorder: ReturnType<typeof createRecorder>) => Promise<T>,
): Promise<T> => {
  const recorder = createRecorder(program, { dispatches: 0, submits: 0 })
  try {
    return await work(recorder)
  } finally {
    recorder.destroy()
  }
}

const throwStatus = (manifest: Manifest, part: Uint8Array<ArrayBuffer> | undefined): void => {
  if (part === undefined) return
  const view = new DataView(part.buffer, part.byteOffset)
  const status = view.getUint32(0, true)
  if (status === 0) return
  const reason = statusReasons[status & 0xff] ?? 'unknown'
  const kernel = manifest.kernels[status >> 8] ?? 'a kernel'
  const index = view.getInt32(4, true)
  throw new QuernError(`run/${reason}`, `${kernel} reported ${reason} at ${index}`, { kernel, reason, index })
}
