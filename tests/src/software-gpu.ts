/** @file The software adapter as this realm's WebGPU, for tests. */
import { beforeAll } from 'vitest'
import { softwareGpu } from '../../packages/codegen-wgsl/test-support/dawn.ts'

export const software = await softwareGpu()

/** Dtypes that kernels can hold there: WebGPU has no 64-bit ones, and f16 is held in 32 bits by the plain variant. */
export const heldBySoftware = ['f32', 'i32', 'u32', 'bool', 'f16', 'u8', 'i8', 'u16', 'i16'] as const

export const useSoftwareGpu = (): void =>
  beforeAll(() => {
    const navigator = globalThis.navigator ?? {}
    Object.defineProperty(navigator, 'gpu', { value: software?.gpu, configurable: true })
    Object.defineProperty(globalThis, 'navigator', { value: navigator, configurable: true })
  })
