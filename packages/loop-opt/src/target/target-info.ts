/** @file What a target is, as data: schedules, regions and the cost model read it, nothing decides by target name. */
import type { DType, DeviceKind } from '@quern/artifact'
import type { LayoutCosts } from '@quern/core-ir'

/** How a kernel's independent work is spread. */
export type Parallelism =
  /** One team of threads splits the outermost axis. */
  | { readonly kind: 'team'; readonly threads: number }
  /** A grid of workgroups, each with threads that share memory and meet at barriers. */
  | {
      readonly kind: 'grid'
      readonly maxWorkgroups: number
      readonly maxThreads: number
      readonly maxThreadsPerDim: readonly [number, number, number]
      readonly sharedBytes: number
    }

export interface TargetInfo {
  readonly kind: DeviceKind
  readonly parallelism: Parallelism
  /** Bytes that one element takes in a buffer. */
  readonly elementBytes: Readonly<Record<DType, number>>
  /** Lanes of a vector of 32-bit elements; 1 where vectors are only wider memory accesses. */
  readonly lanes: number
  /** Lanes of one memory access of 32-bit elements. */
  readonly accessLanes: number
  /** Vector registers a tile may use before values spill. */
  readonly registers: number
  /** Buffers that one kernel may bind. */
  readonly buffersPerKernel: number
  /** Results of a reduction below which a long one is written in parts: fewer do not keep a team or a grid busy. */
  readonly enoughResults: number
  readonly features: { readonly relaxedSimd: boolean; readonly f16: boolean; readonly i64: boolean }
  /** Bytes of the caches that one thread has, nearest first; blocks aim at the first two. */
  readonly cacheBytes: readonly [number, number, ...number[]]
  /** Whether a buffer of one thread may be large (memory), or must fit in registers and constant extents. */
  readonly privateMemory: boolean
  /** Whether a kernel may write the buffer it reads through a binding of its own. */
  readonly inPlaceBindings: boolean
  /** What kernels over pictures take in each layout; absent: none gains by another than row-major. */
  readonly layouts?: LayoutCosts
  /** Whether all buffers are ranges of one memory, which may overlap where they are wanted at different times. */
  readonly oneMemory: boolean
  /** What the cost model divides by. */
  readonly speed: {
    readonly gflops: number
    /** GB/s beyond the caches. */
    readonly bandwidth: number
    /** GB/s out of each cache. */
    readonly cacheBandwidth: readonly [number, number, ...number[]]
    /** GB/s of inputs on their way in and outputs on their way back. */
    readonly transfer: number
    /** Microseconds that starting one kernel costs. */
    readonly launchMicroseconds: number
    /** Microseconds that one run costs before and after its kernels. */
    readonly runMicroseconds: number
    /** Microseconds that a team takes to meet once. */
    readonly barrierMicroseconds: number
    /** Times the bandwidth of one thread that a team of any size gets beyond the caches. */
    readonly teamBandwidth: number
  }
  /** How one core works through a loop; absent where thousands of threads hide it. */
  readonly core?: Core
}

/** A core, as far as schedules can use more or less of it. */
export interface Core {
  readonly gigahertz: number
  /** Instructions of each kind that begin in one cycle. A multiply-add is two of arithmetic. */
  readonly arithmetic: number
  readonly loads: number
  readonly stores: number
  /** Cycles until a sum can be added to again. */
  readonly latency: number
  /** Cycles that one more round of a loop costs beside its body. */
  readonly roundCycles: number
  /** Vectors of sums that a tile may keep in registers, without and with fused multiply-adds, before values spill. */
  readonly accumulators: { readonly plain: number; readonly madd: number }
}
