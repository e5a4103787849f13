/** @file Kernels written by hand: what is emitted, and that Tint accepts it. */
import { parseKernel } from '@quern/core-ir'
import { beforeAll, expect, test } from 'vitest'
import { nullDevice, validate } from '../test-support/dawn.ts'
import { defaultLimits, emitKernel } from './kernel/emit-kernel.ts'
import { kernels } from '../test-support/kernels.ts'

let device: GPUDevice
beforeAll(async () => {
  device = await nullDevice()
})

for (const [name, text] of Object.entries(kernels))
  test(`${name} is valid WGSL`, async () => {
    const { shader } = emitKernel(parseKernel(text), { f16: true, limits: defaultLimits, index: 1 })
    expect(await validate(device, shader), shader.code).toEqual([])
  })
