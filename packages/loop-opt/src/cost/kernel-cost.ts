/** @file The cost model of kernels: operations and bytes, and the larger of the times they take. */
import { type Index, type Kernel, type Stmt, ix } from '@quern/core-ir'
import { weightOf } from '../lower/weight.ts'
import type { TargetInfo } from '../target/target-info.ts'
import { type Time, constantTime, longestTime, sumOfTimes, timeOf } from './time.ts'

export interface KernelCost {
  /** Simple operations of one run, over symbols. */
  readonly operations: Index
  /** Bytes of every param, once. */
  readonly bytes: Index
  readonly time: Time
}

/** Rounds of a loop whose number only data tells. */
export const roundsByData = 16

/** Counts an unscheduled kernel: no schedule changes what has to be done. */
export const costOf = (kernel: Kernel, target: TargetInfo): KernelCost => {
  const operations = count(kernel.body, new Map())
  const bytes = ix.add(0, ...kernel.params.map(p => ix.mul(ix.product(p.shape), target.elementBytes[p.dtype])))
  const { gflops, bandwidth, launchMicroseconds } = target.speed
  const time = sumOfTimes(
    longestTime(timeOf(operations, 1 / (gflops * 1e6)), timeOf(bytes, 1 / (bandwidth * 1e6))),
    constantTime(launchMicroseconds / 1e3),
  )
  return { operations, bytes, time }
}

/** @param axes the extents of the loops around: where an inner loop's extent names an axis, it counts as that */
const count = (stmts: readonly Stmt[], axes: ReadonlyMap<string, Index>): Index =>
  ix.add(
    0,
    ...stmts.map((s): Index => {
      switch (s.kind) {
        case 'for': {
          const extent = ix.mapAtoms(s.extent, a =>
            a.kind === 'value' ? ix.constant(roundsByData) : a.kind === 'var' ? axes.get(a.name) : undefined,
          )
          return ix.mul(extent, count(s.body, new Map([...axes, [s.axis, extent]])))
        }
        case 'if':
          return ix.add(weightOf(s.condition), ix.max(count(s.then, axes), count(s.else, axes)))
        case 'let':
          return ix.constant(weightOf(s.value))
        case 'store':
          return ix.constant(Math.max(weightOf(s.value), 1))
        case 'accumulate':
          return ix.constant(weightOf(s.value) + 1)
        case 'alloc':
        case 'fail':
        case 'barrier':
          return ix.constant(0)
      }
    }),
  )
