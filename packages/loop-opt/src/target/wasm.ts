/** @file WebAssembly with SIMD128, as a target. */
import { bytesOf } from '@quern/artifact'
import { wasmPictureCosts } from './picture-costs.ts'
import type { TargetInfo } from './target-info.ts'

/**
 * Measured in Chromium 156 on AMD Zen 3 and Zen 5, one thread, and scaled to the 2.5 GHz that a busy laptop keeps. Per cycle: 16.6
 * single operations in registers alone (multiply and add pipes, two each); 29 bytes of a sum from the first two caches, 24 from
 * the third. Beyond: 28 to 38 GB/s, 1.4 times that for two threads. A barrier of two spinning threads takes 3 to 4 µs.
 *
 * @param options `threads`: the largest team the code is made for (1: no shared memory) */
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
  // The third is shared: a core's part of it.
  cacheBytes: [32 * 1024, 1024 * 1024, 8 * 1024 * 1024],
  privateMemory: true,
  inPlaceBindings: true,
  layouts: wasmPictureCosts,
  oneMemory: true,
  speed: {
    gflops: 40,
    bandwidth: 25,
    cacheBandwidth: [80, 72, 60],
    transfer: 16,
    launchMicroseconds: 0.2,
    runMicroseconds: 2,
    barrierMicroseconds: 3.3,
    teamBandwidth: 1.4,
  },
  core: {
    gigahertz: 2.5,
    arithmetic: 4,
    loads: 2,
    stores: 1,
    latency: 3,
    roundCycles: 0.5,
    // More were measured to spill in V8, whose registers hold operands too.
    accumulators: { plain: 8, madd: 12 },
  },
})
