/** @file WebAssembly with SIMD128, as a target. */
import { bytesOf } from '@quern/artifact'
import type { TargetInfo } from './target-info.ts'

/** @param options `threads`: the largest team the code is made for (1: no shared memory) */
export const wasmTarget = (options: { relaxedSimd?: boolean; threads?: number } = {}): TargetInfo => ({
  kind: 'wasm',
  parallelism: { kind: 'team', threads: options.threads ?? 1 },
  elementBytes: bytesOf,
  lanes: 4,
  accessLanes: 4,
  // V8 on x64 leaves about 15 of the 16 vector registers.
  registers: 15,
  buffersPerKernel: 256,
  // The same for any number of threads, since it decides the order of sums.
  enoughResults: 16,
  features: { relaxedSimd: options.relaxedSimd ?? false, f16: false, i64: true },
  cacheBytes: [32 * 1024, 1024 * 1024],
  privateMemory: true,
  inPlaceBindings: true,
  speed: { gflops: 40, bandwidth: 25, transfer: 16, launchMicroseconds: 0.2, runMicroseconds: 2 },
})
