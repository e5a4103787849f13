/** @file What forks of a program share on a device: pipelines and constants, and the device's errors. */
import { type GpuShader, type Manifest, QuernError, bytesOf } from '@quern/artifact'
import { evaluate } from '../expr.ts'

export interface Pipeline {
  readonly shader: GpuShader
  readonly pipeline: GPUComputePipeline
  readonly layout: GPUBindGroupLayout
}

/** A buffer of so many bytes that kernels bind. */
export type MakeStorage = (size: number) => GPUBuffer

export interface GpuProgram {
  readonly device: GPUDevice
  readonly manifest: Manifest
  readonly pipelines: readonly Pipeline[]
  /** By byte offset in the weights file. */
  readonly constants: ReadonlyMap<number, GPUBuffer>
  readonly constantBytes: number
  /** Initial bytes of states by name. */
  readonly initial: ReadonlyMap<string, Uint8Array<ArrayBuffer>>
  /** Throws if the device is lost, or if commands of {@link guarded} work were found wrong since the last call. */
  check(): void
  /** Issues commands. What is wrong with them is this program's failure, and of no other on the shared device. */
  guarded<T>(issue: () => T): T
  /** Settles when the device has looked at all guarded commands so far. */
  examined(): Promise<void>
  /** Throws what lies behind a promise that WebGPU rejected: most often a lost device, of which word may come a little later. */
  blame(cause: unknown): Promise<never>
  /** Makes buffers; where one of them is refused, none stays, and the failure is a coded error. */
  allocating<T>(what: string, make: (storage: MakeStorage) => T): Promise<T>
  share(): GpuProgram
  release(): void
}

/** Numeric, since the constants of WebGPU are no globals in Node. */
export const usage = { mapRead: 1, copySrc: 4, copyDst: 8, uniform: 64, storage: 128 } as const
const compute = 4

export const createProgram = async (
  device: GPUDevice,
  manifest: Manifest,
  shaders: readonly GpuShader[],
  coming: Uint8Array | Promise<Uint8Array>,
): Promise<GpuProgram> => {
  let lost: string | undefined
  let failed: string | undefined
  void device.lost.then(info => {
    lost = info.message || info.reason || 'no reason given'
  })
  const checkLost = (): void => {
    if (lost !== undefined)
      throw new QuernError('device/lost', `the GPU device was lost (${lost}): load the model again`, { reason: lost })
  }
  const check = (): void => {
    checkLost()
    const message = failed
    failed = undefined
    if (message !== undefined)
      throw new QuernError('device/error', `WebGPU rejected a command of ${manifest.name}: ${message}`, { message })
  }
  let verdict: Promise<void> = Promise.resolve()
  const guarded = <T>(issue: () => T): T => {
    device.pushErrorScope('validation')
    try {
      return issue()
    } finally {
      // In order, so the last one speaks for all; a lost device has its own way to say so.
      verdict = device.popErrorScope().then(
        error => {
          failed ??= error?.message
        },
        () => {},
      )
    }
  }
  const blame = async (cause: unknown): Promise<never> => {
    await Promise.race([device.lost, new Promise(resolve => setTimeout(resolve, 100))])
    check()
    throw new QuernError(
      'device/error',
      `WebGPU failed in ${manifest.name}: ${cause instanceof Error ? cause.message : String(cause)}`,
      {},
      cause,
    )
  }
  const allocating = async <T>(what: string, make: (storage: MakeStorage) => T): Promise<T> => {
    const buffers: GPUBuffer[] = []
    device.pushErrorScope('out-of-memory')
    device.pushErrorScope('validation')
    const made = make(size => {
      const buffer = device.createBuffer({ size, usage: usage.storage | usage.copyDst | usage.copySrc })
      buffers.push(buffer)
      return buffer
    })
    try {
      const errors = await Promise.all([device.popErrorScope(), device.popErrorScope()]).catch(blame)
      check()
      const error = errors.find(e => e !== null)
      if (error)
        throw new QuernError(
          'device/out-of-memory',
          `the GPU gave no memory for ${what} (${error.message}): dispose of models and tensors that are not needed, or load with device 'wasm'`,
          { what },
        )
      return made
    } catch (error) {
      for (const buffer of buffers) buffer.destroy()
      throw error
    }
  }

  // Pipelines compile while the weights arrive.
  const building = Promise.all(shaders.map(shader => buildPipeline(device, shader)))
  const uploading = Promise.resolve(coming).then(async weights => ({
    weights,
    ...(await allocating('weights', storage => uploadConstants(device, storage, manifest, weights))),
  }))
  const [built, uploaded] = await Promise.allSettled([building, uploading])
  if (built.status === 'rejected' || uploaded.status === 'rejected') {
    if (uploaded.status === 'fulfilled') for (const buffer of uploaded.value.buffers.values()) buffer.destroy()
    checkLost()
    throw [built, uploaded].flatMap(r => (r.status === 'rejected' ? [r.reason] : []))[0]
  }
  const pipelines = built.value
  const { buffers, bytes, weights } = uploaded.value
  const initial = new Map<string, Uint8Array<ArrayBuffer>>()
  for (const { name, shape, dtype, init } of manifest.states)
    if (init !== undefined)
      initial.set(name, new Uint8Array(weights.subarray(init, init + shape.reduce((n, d) => n * d, bytesOf[dtype]))))
  let users = 1
  const program: GpuProgram = {
    device,
    manifest,
    pipelines,
    constants: buffers,
    constantBytes: bytes,
    initial,
    check,
    guarded,
    examined: () => verdict,
    blame,
    allocating,
    share: () => {
      users++
      return program
    },
    release: () => {
      if (--users > 0) return
      for (const buffer of buffers.values()) buffer.destroy()
    },
  }
  return program
}

const buildPipeline = async (device: GPUDevice, shader: GpuShader): Promise<Pipeline> => {
  const entries: GPUBindGroupLayoutEntry[] = shader.access.map((access, binding) => ({
    binding,
    visibility: compute,
    buffer: { type: access === 'read' ? 'read-only-storage' : 'storage' },
  }))
  if (shader.uniforms > 0)
    entries.push({
      binding: entries.length,
      visibility: compute,
      buffer: { type: 'uniform', hasDynamicOffset: true, minBindingSize: 4 * shader.uniforms },
    })
  const layout = device.createBindGroupLayout({ entries })
  const module = device.createShaderModule({ code: shader.code, label: shader.kernel })
  try {
    const pipeline = await device.createComputePipelineAsync({
      label: shader.kernel,
      layout: device.createPipelineLayout({ bindGroupLayouts: [layout] }),
      compute: { module, entryPoint: 'main' },
    })
    return { shader, pipeline, layout }
  } catch (cause) {
    throw new QuernError(
      'device/pipeline',
      `the GPU's compiler rejected the kernel ${shader.kernel}: ${cause instanceof Error ? cause.message : String(cause)}`,
      { kernel: shader.kernel },
      cause,
    )
  }
}

const uploadConstants = (
  device: GPUDevice,
  storage: MakeStorage,
  manifest: Manifest,
  weights: Uint8Array,
): { buffers: Map<number, GPUBuffer>; bytes: number } => {
  const sizes = new Map<number, number>()
  for (const { webgpu } of Object.values(manifest.entries))
    for (const { kind, at = 0, bytes } of webgpu?.buffers ?? [])
      if (kind === 'constant') sizes.set(at, Math.max(sizes.get(at) ?? 64, evaluate(bytes, {})))
  const buffers = new Map<number, GPUBuffer>()
  let total = 0
  for (const [at, size] of sizes) {
    const buffer = storage(size)
    const bytes = weights.subarray(at, at + size)
    const whole = bytes.length % 4 === 0 ? bytes : new Uint8Array(Math.ceil(bytes.length / 4) * 4)
    if (whole !== bytes) whole.set(bytes)
    device.queue.writeBuffer(buffer, 0, whole as Uint8Array<ArrayBuffer>)
    buffers.set(at, buffer)
    total += size
  }
  return { buffers, bytes: total }
}
