/** @file Kernels and plans to WGSL and a dispatch plan. */
export * from './kernel/emit-kernel.ts'
