/** @file Memory of a GPU that forks share: it is given back with the last of them, also where one could not be made. */
import type { Manifest } from '@quern/artifact'
import { expect, it } from 'vitest'
import { webgpuExecutor } from './executor.ts'
import { bareManifest } from '../testing/bare-manifest.ts'

const manifest: Manifest = {
  ...bareManifest,
  target: 'webgpu',
  entries: {
    main: {
      inputs: [],
      outputs: [],
      predictedMs: 0,
      webgpu: { buffers: [{ bytes: 128, kind: 'constant', at: 0 }], steps: [] },
    },
  },
  states: [
    { name: 'a', dtype: 'f32', shape: [4], at: 0 },
    { name: 'b', dtype: 'f32', shape: [400], at: 1 },
  ],
}

/** A device that only counts: the sizes of the buffers that are alive. */
const counting = () => {
  const alive: number[] = []
  const device = { full: false }
  let errors: ({ message: string } | null)[] = []
  const fake = {
    lost: new Promise<never>(() => {}),
    limits: { minUniformBufferOffsetAlignment: 256 },
    queue: { writeBuffer: () => {} },
    pushErrorScope: () => void errors.push(null),
    popErrorScope: () => Promise.resolve(errors.pop() ?? null),
    createBuffer: ({ size }: GPUBufferDescriptor) => {
      if (device.full) errors = errors.map((e, i) => (i === errors.length - 1 ? { message: 'full' } : e))
      alive.push(size)
      return { size, destroy: () => alive.splice(alive.indexOf(size), 1) }
    },
  }
  return { alive, device, gpu: fake as unknown as GPUDevice }
}
const load = (gpu: GPUDevice) => webgpuExecutor(gpu, manifest, new TextEncoder().encode('[]'), new Uint8Array(128))
const idle = Promise.resolve()

it('keeps the weights until the last fork is gone', async () => {
  const { alive, gpu } = counting()
  const executor = await load(gpu)
  const fork = await executor.fork()
  expect(alive).toEqual([128, 64, 1600, 64, 1600])
  await executor.dispose(idle)
  expect(alive).toEqual([128, 64, 1600])
  await fork.dispose(idle)
  expect(alive).toEqual([])
})

it('counts no fork that could not be made, and keeps none of its buffers', async () => {
  const { alive, device, gpu } = counting()
  const executor = await load(gpu)
  device.full = true
  await expect(executor.fork()).rejects.toMatchObject({ code: 'device/out-of-memory' })
  expect(alive).toEqual([128, 64, 1600])
  await executor.dispose(idle)
  expect(alive).toEqual([])
})

it('keeps nothing where the first could not be made', async () => {
  const { alive, device, gpu } = counting()
  device.full = true
  await expect(load(gpu)).rejects.toMatchObject({ code: 'device/out-of-memory' })
  expect(alive).toEqual([])
})
