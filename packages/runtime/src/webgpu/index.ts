/** @file The WebGPU side of the runtime: a chunk of its own, in apps that have a model compiled for WebGPU. */
export { type FoundDevice, openDevice } from './open-device.ts'
export { webgpuExecutor } from './executor.ts'
