/** @file WebGPU with its default limits, as a target. */
import { bytesOf } from '@quern/artifact'
import type { TargetInfo } from './target-info.ts'

export const webgpuTarget = (options: { f16?: boolean } = {}): TargetInfo => ({
  kind: 'webgpu',
  parallelism: {
    kind: 'grid',
    maxWorkgroups: 65_535,
    maxThreads: 256,
    maxThreadsPerDim: [256, 256, 64],
    sharedBytes: 16_384,
  },
  // bool and 8/16-bit integers are 32 bits wide.
  elementBytes: { ...bytesOf, f16: options.f16 === true ? 2 : 4, i16: 4, i8: 4, u16: 4, u8: 4, bool: 4 },
  lanes: 1,
  accessLanes: 4,
  registers: 64,
  // maxStorageBuffersPerShaderStage is 8 by default; one is kept for the status word.
  buffersPerKernel: 7,
  enoughResults: 64,
  features: { relaxedSimd: false, f16: options.f16 ?? false, i64: false },
  cacheBytes: [16 * 1024, 1024 * 1024],
  privateMemory: false,
  inPlaceBindings: false,
  oneMemory: false,
  // Between the page and the GPU stands another process: data is copied twice, then crosses a bus.
  speed: {
    // An integrated GPU of the middle class, by its makers' figures: nothing here was measured on hardware.
    gflops: 1000,
    bandwidth: 80,
    cacheBandwidth: [1000, 300],
    transfer: 4,
    launchMicroseconds: 8,
    runMicroseconds: 1500,
    barrierMicroseconds: 0,
    teamBandwidth: 1,
  },
})
