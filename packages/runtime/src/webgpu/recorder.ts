/** @file Records steps into as few submits as the host's questions allow. */
import { type Expr, type GpuStep } from '@quern/artifact'
import { type SymbolValues, evaluate } from '../expr.ts'
import { type GpuProgram, usage } from './program.ts'

type Dispatch = Extract<GpuStep, { kind: 'dispatch' }>

export interface Counters {
  dispatches: number
  submits: number
}

export interface Recorder {
  dispatch(step: Dispatch, buffers: readonly GPUBuffer[], symbols: SymbolValues): void
  copy(from: GPUBuffer, fromAt: number, to: GPUBuffer, toAt: number, bytes: number): void
  clear(buffer: GPUBuffer): void
  /** Hands what was recorded to the device. */
  submit(): void
  /** Copies ranges into host memory: one submit, one wait. The bytes are valid inside `use` only. */
  read<T>(ranges: readonly Range[], use: (parts: readonly Uint8Array<ArrayBuffer>[]) => T): Promise<T>
  /** Drops what was recorded and not submitted, after an error. */
  discard(): void
  /** Bind groups name buffers: forget them when buffers are made anew. */
  forget(): void
  destroy(): void
}
export interface Range {
  readonly buffer: GPUBuffer
  readonly bytes: number
}

/** Uniform blocks that one submit can hold. */
const blocks = 64
const round = (n: number, to: number): number => Math.ceil(n / to) * to

export const createRecorder = (
  { device, pipelines, check, blame, guarded, examined }: GpuProgram,
  counters: Counters,
): Recorder => {
  const most = Math.max(0, ...pipelines.map(p => p.shader.uniforms))
  const stride = round(Math.max(4 * most, 4), device.limits.minUniformBufferOffsetAlignment)
  const uniforms =
    most === 0 ? undefined : device.createBuffer({ size: stride * blocks, usage: usage.uniform | usage.copyDst })
  const words = new Int32Array((stride * blocks) / 4)
  /** Offset of each block of this submit, by its values: most dispatches of a run share one. */
  const offsets = new Map<string, number>()
  let groups = new Map<Dispatch, GPUBindGroup>()
  let staging: GPUBuffer | undefined
  let encoder: GPUCommandEncoder | undefined
  let pass: GPUComputePassEncoder | undefined

  const encoding = (): GPUCommandEncoder => (encoder ??= device.createCommandEncoder())
  const endPass = (): void => {
    pass?.end()
    pass = undefined
  }
  const submit = (): void => {
    endPass()
    if (encoder === undefined) return
    const commands = encoder
    guarded(() => {
      if (uniforms !== undefined && offsets.size > 0)
        device.queue.writeBuffer(uniforms, 0, words, 0, (offsets.size * stride) / 4)
      device.queue.submit([commands.finish()])
    })
    counters.submits++
    encoder = undefined
    offsets.clear()
  }
  const discard = (): void => {
    endPass()
    encoder = undefined
    offsets.clear()
  }
  const uniformOffset = (exprs: readonly Expr[], symbols: SymbolValues): number => {
    const values = exprs.map(e => evaluate(e, symbols))
    const key = values.join()
    const known = offsets.get(key)
    if (known !== undefined) return known
    if (offsets.size === blocks) submit()
    const offset = offsets.size * stride
    words.set(values, offset / 4)
    offsets.set(key, offset)
    return offset
  }
  const groupOf = (step: Dispatch, buffers: readonly GPUBuffer[]): GPUBindGroup => {
    const known = groups.get(step)
    if (known !== undefined) return known
    const found = pipelines[step.shader]
    if (found === undefined) throw new Error(`no shader ${step.shader}`)
    const entries: GPUBindGroupEntry[] = buffers.map((buffer, binding) => ({ binding, resource: { buffer } }))
    if (found.shader.uniforms > 0 && uniforms !== undefined)
      entries.push({
        binding: buffers.length,
        resource: { buffer: uniforms, size: round(4 * found.shader.uniforms, 16) },
      })
    const group = guarded(() => device.createBindGroup({ layout: found.layout, entries }))
    groups.set(step, group)
    return group
  }

  const recorder: Recorder = {
    dispatch: (step, buffers, symbols) => {
      const [x, y, z] = step.workgroups.map(e => evaluate(e, symbols))
      if (x === undefined || y === undefined || z === undefined || x * y * z === 0) return
      const found = pipelines[step.shader]
      if (found === undefined) throw new Error(`no shader ${step.shader}`)
      const offset = step.uniforms.length === 0 ? [] : [uniformOffset(step.uniforms, symbols)]
      pass ??= encoding().beginComputePass()
      pass.setPipeline(found.pipeline)
      pass.setBindGroup(0, groupOf(step, buffers), offset)
      pass.dispatchWorkgroups(x, y, z)
      counters.dispatches++
    },
    copy: (from, fromAt, to, toAt, bytes) => {
      if (bytes === 0) return
      endPass()
      encoding().copyBufferToBuffer(from, fromAt, to, toAt, bytes)
    },
    clear: buffer => {
      endPass()
      encoding().clearBuffer(buffer)
    },
    submit,
    read: async (ranges, use) => {
      let total = 0
      const places = ranges.map(({ bytes }) => {
        const at = total
        total += round(bytes, 8)
        return at
      })
      if (staging === undefined || staging.size < total) {
        staging?.destroy()
        staging = device.createBuffer({ size: Math.max(total, 64), usage: usage.mapRead | usage.copyDst })
      }
      const target = staging
      ranges.forEach(({ buffer, bytes }, i) => recorder.copy(buffer, 0, target, places[i] ?? 0, round(bytes, 4)))
      submit()
      await Promise.all([target.mapAsync(1, 0, Math.max(total, 8)), examined()]).catch(blame)
      try {
        check()
        const mapped = target.getMappedRange(0, Math.max(total, 8))
        return use(ranges.map(({ bytes }, i) => new Uint8Array(mapped, places[i], round(bytes, 4))))
      } finally {
        target.unmap()
      }
    },
    discard,
    forget: () => {
      groups = new Map()
    },
    destroy: () => {
      discard()
      staging?.destroy()
      uniforms?.destroy()
    },
  }
  return recorder
}
