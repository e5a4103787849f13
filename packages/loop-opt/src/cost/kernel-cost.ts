/** @file The first cost model: a kernel's operations and bytes, and the larger of the times they take. */
import { type Index, type Kernel, type Stmt, type SymbolInfo, ix } from '@quern/core-ir'
import { estimator, weightOf } from '../lower/weight.ts'
import type { TargetInfo } from '../target/target-info.ts'

export interface KernelCost {
  /** Simple operations of one run, over symbols. */
  readonly operations: Index
  /** Bytes of every param, once. */
  readonly bytes: Index
  /** At the symbols' lower bounds. */
  readonly ms: number
}

/** Counts an unscheduled kernel: no schedule changes what has to be done. */
export const costOf = (kernel: Kernel, target: TargetInfo): KernelCost => {
  const operations = count(kernel.body)
  const bytes = ix.add(0, ...kernel.params.map(p => ix.mul(ix.product(p.shape), target.elementBytes[p.dtype])))
  return { operations, bytes, ms: msOf(operations, bytes, kernel, target) }
}

const msOf = (operations: Index, bytes: Index, kernel: Kernel, target: TargetInfo): number => {
  const at = estimator(kernel.symbols.map((s): SymbolInfo => ({ ...s, max: s.min, multipleOf: 1 })))
  const { gflops, bandwidth, launchMicroseconds } = target.speed
  return Math.max(at(operations) / (gflops * 1e6), at(bytes) / (bandwidth * 1e6)) + launchMicroseconds / 1e3
}

const count = (stmts: readonly Stmt[]): Index =>
  ix.add(
    0,
    ...stmts.map((s): Index => {
      switch (s.kind) {
        case 'for':
          return ix.mul(s.extent, count(s.body))
        case 'if':
          return ix.add(weightOf(s.condition), ix.max(count(s.then), count(s.else)))
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
