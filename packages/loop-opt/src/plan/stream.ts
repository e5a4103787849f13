/** @file How many rows a run takes at a time, where rows are independent. */
import { type DType } from '@quern/artifact'
import { type Index, type Plan, type Stream, ix, simplify, symbolRanges } from '@quern/core-ir'
import { bufferBytes } from '../memory/plan-memory.ts'
import type { TargetInfo } from '../target/target-info.ts'

/** Rows are counted over so many, since the bytes of few are mostly rounding. */
const sample = 1024
/** Fewer rows would leave register tiles half empty. */
const leastRows = 16
/** What is read anew in every round may be so much of what a round moves. */
const rereadShare = 1 / 4

/**
 * As many rows as half of the second-level cache holds with everything that is computed of them, and enough that weights,
 * which every round reads again, are a small part of what it moves. Undefined where rounds would not pay, or where the last
 * one could be of a size that the symbol's bounds exclude.
 */
export const streamOf = (plan: Plan, symbol: string, target: TargetInfo): Stream | undefined => {
  const { parallelism, cacheBytes, elementBytes } = target
  const info = plan.symbols.find(s => s.name === symbol)
  if (parallelism.kind !== 'team' || info === undefined || plan.memory === undefined) return undefined
  const step = info.multipleOf
  if (info.min > step) return undefined
  const perRow = ix.max(1, ix.floorDiv(rowsOf(plan.memory.peak, symbol, sample), sample))
  const reread = bytesReread(plan, symbol, elementBytes)
  const unit = lcm(leastRows, step)
  // A team's members have caches of their own.
  const cache = (cacheBytes[1] / 2) * Math.min(parallelism.threads, typicalTeam)
  const fitting = ix.floorDiv(cache, ix.mul(unit, perRow))
  const worthwhile = ix.ceilDiv(ix.mul(reread, 1 / rereadShare), ix.mul(unit, perRow))
  const rows = simplify(
    ix.mul(unit, ix.max(1, ix.max(fitting, worthwhile))),
    symbolRanges(new Map(plan.symbols.map(s => [s.name, s]))),
  )
  return info.max !== undefined && ix.isConst(rows) && rows.value >= info.max ? undefined : { symbol, rows }
}

export const typicalTeam = 4

/** Constants, and inputs that have no rows. */
const bytesReread = (plan: Plan, symbol: string, elementBytes: Readonly<Record<DType, number>>): Index =>
  ix.add(
    0,
    ...plan.buffers
      .filter(
        b => b.aliasOf === undefined && (b.kind === 'constant' || (b.kind === 'input' && !isRow(b.shape[0], symbol))),
      )
      .map(b => bufferBytes(b, plan.symbols, elementBytes)),
  )
const isRow = (dim: Index | undefined, symbol: string): boolean => dim?.kind === 'var' && dim.name === symbol

const rowsOf = (bytes: Index, symbol: string, rows: number): Index =>
  ix.mapAtoms(bytes, atom => (atom.kind === 'var' && atom.name === symbol ? ix.constant(rows) : undefined))

const lcm = (a: number, b: number): number => {
  const gcd = (x: number, y: number): number => (y === 0 ? x : gcd(y, x % y))
  return (a / gcd(a, b)) * b
}
