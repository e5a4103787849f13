/** @file The state buffers of one fork. */
import { bytesOf } from '@quern/artifact'
import { evaluate } from '../expr.ts'
import type { GpuProgram } from './program.ts'

/** State buffers by their index, filled with their initial values. */
export const createStates = async ({ device, manifest, initial, allocating }: GpuProgram) => {
  const ports = [...manifest.states].sort((a, b) => a.at - b.at)
  const sizes = ports.map(p => p.shape.reduce((n, d) => n * d, bytesOf[p.dtype]))
  const reach = new Map<number, number>()
  for (const { webgpu } of Object.values(manifest.entries))
    for (const { kind, at = 0, bytes } of webgpu?.buffers ?? [])
      if (kind === 'state') reach.set(at, Math.max(reach.get(at) ?? 0, evaluate(bytes, {})))
  const buffers = await allocating('states', storage =>
    ports.map((p, i) => storage(Math.max(64, Math.ceil(Math.max(sizes[i] ?? 0, reach.get(p.at) ?? 0) / 64) * 64))),
  )
  const reset = (name?: string): void =>
    ports.forEach((p, i) => {
      const buffer = buffers[i]
      if (buffer === undefined || (name !== undefined && p.name !== name)) return
      const bytes = new Uint8Array(buffer.size)
      bytes.set((initial.get(p.name) ?? new Uint8Array()).subarray(0, sizes[i]))
      device.queue.writeBuffer(buffer, 0, bytes)
    })
  reset()
  return { buffers, reset }
}
