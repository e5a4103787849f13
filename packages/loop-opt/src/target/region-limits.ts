/** @file What regions have to know of a target. */
import type { TargetInfo } from './target-info.ts'

/** The part of the second level cache that a block of intermediate rows may take: the rest is for what it is made of. */
const nearPart = 4

export const regionLimits = ({ buffersPerKernel, privateMemory, cacheBytes }: TargetInfo) => ({
  maxBuffers: buffersPerKernel,
  ...(privateMemory && { nearBytes: cacheBytes[1] / nearPart }),
})
