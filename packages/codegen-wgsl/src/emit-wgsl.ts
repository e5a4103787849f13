/** @file A lowered program as shaders, device buffers and steps. */
import type { GpuShader } from '@quern/artifact'
import type { LoweredProgram, PlacedConstant, PlacedState, StateDecl } from '@quern/core-ir'
import { type WgslLimits, defaultLimits } from './kernel/emit-kernel.ts'
import { type EmittedPlan, Shaders, emitPlan } from './plan/emit-plan.ts'
import { place } from './plan/placement.ts'

export interface WgslOptions {
  readonly features: { readonly f16: boolean; readonly subgroups: boolean }
  /** Those every WebGPU device has, where absent. */
  readonly limits?: Partial<WgslLimits>
  readonly states?: readonly StateDecl[]
}

export interface EmittedWgsl {
  readonly shaders: readonly GpuShader[]
  readonly entries: Readonly<Record<string, EmittedPlan>>
  /** Pack each by its layout into the weights file. */
  readonly constants: readonly PlacedConstant[]
  /** Initial values go into the weights file too. */
  readonly states: readonly PlacedState[]
  readonly weightsBytes: number
  /** Kernel names by the index that status words use. */
  readonly kernels: readonly string[]
  /** Device features that the shaders need. */
  readonly features: readonly string[]
}

export const emitWgsl = (program: LoweredProgram, options: WgslOptions): EmittedWgsl => {
  const placement = place(program, options.states ?? [])
  const shaders = new Shaders(options.features.f16, { ...defaultLimits, ...options.limits })
  const entries = Object.fromEntries(program.plans.map(p => [p.entry, emitPlan(program, p, placement, shaders)]))
  return {
    shaders: shaders.shaders,
    entries,
    constants: placement.constants,
    states: placement.states,
    weightsBytes: placement.weightsBytes,
    kernels: shaders.kernels,
    features: shaders.shaders.some(s => s.code.includes('\nenable f16;')) ? ['shader-f16'] : [],
  }
}
