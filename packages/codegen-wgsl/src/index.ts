/** @file Kernels and plans to WGSL and a dispatch plan. */
export * from './emit-wgsl.ts'
export {
  type BoundArg,
  type EmittedKernel,
  type KernelOptions,
  type WgslLimits,
  defaultLimits,
  emitKernel,
} from './kernel/emit-kernel.ts'
export type { EmittedPlan } from './plan/emit-plan.ts'
