/** @file What a scheduling rule is, and what rules are written with. */
import { isQuernError } from '@quern/artifact'
import { type Index, type Kernel, type Numerics, type Stmt, type SymbolInfo, ix } from '@quern/core-ir'
import type { LoweredRegion, Stage } from '../lower/lowered-region.ts'
import { estimator, weightOf } from '../lower/weight.ts'
import { tryFindLoop } from '../schedule/locate.ts'
import { perfectChain } from '../schedule/primitives/reorder.ts'
import { type Schedule, scheduleOf } from '../schedule/schedule.ts'
import type { For } from '../schedule/tree.ts'
import type { TargetInfo } from '../target/target-info.ts'

export interface RuleContext {
  readonly region: LoweredRegion
  /** The region's kind in words, or the class of an op that stands alone. */
  readonly kind: string
  readonly target: TargetInfo
  readonly permits: Numerics
  /** Params that hold constants: they may be given another layout. */
  readonly constants: ReadonlySet<string>
}

/** A schedule, or undefined where the rule has nothing to say of such a kernel. */
export type ScheduleRule = (context: RuleContext) => Schedule | undefined

export const start = ({ region, permits }: RuleContext): Schedule => scheduleOf(region, { permits })

/** The first that a schedule primitive does not refuse; undefined where all are refused. */
export const firstOf = (...attempts: readonly (() => Schedule | undefined)[]): Schedule | undefined => {
  for (const attempt of attempts) {
    const made = unlessRefused(attempt)
    if (made !== undefined) return made
  }
  return undefined
}

/** The edited schedule, or the one given where the edit is refused. */
export const tryEdit = (s: Schedule, edit: (s: Schedule) => Schedule): Schedule => unlessRefused(() => edit(s)) ?? s

const unlessRefused = (attempt: () => Schedule | undefined): Schedule | undefined => {
  try {
    return attempt()
  } catch (error) {
    if (isQuernError(error) && error.code.startsWith('schedule/')) return undefined
    throw error
  }
}

/** The loops of a stage's nest as they stand now, outermost first. */
export const loopsOf = (s: Schedule, stage: Stage): For[] => {
  const axes = [...stage.spatial, ...stage.reduce]
  return axes.flatMap(a => tryFindLoop(s.kernel, a)?.loop ?? [])
}

/** The perfect nest below an axis, that axis first. */
export const chainFrom = (s: Schedule, axis: string): For[] => {
  const loop = tryFindLoop(s.kernel, axis)?.loop
  return loop === undefined ? [] : perfectChain(loop)
}

export const isFor = (s: Stmt): s is For => s.kind === 'for'
export const topLoops = (kernel: Kernel): For[] => kernel.body.filter(isFor)

export const constantOf = (x: Index | undefined): number | undefined =>
  x !== undefined && ix.isConst(x) ? x.value : undefined

/** What a symbol without a bound counts as where the largest sizes are asked for. */
const largeSize = 1 << 20

/** Simple operations of a kernel at the largest sizes that its symbols may have. */
export const largestWork = (kernel: Kernel): number => {
  const size = estimator(
    kernel.symbols.map((s): SymbolInfo => ({ ...s, min: s.max ?? Math.max(s.min, largeSize), multipleOf: 1 })),
  )
  const count = (stmts: readonly Stmt[]): number =>
    stmts.reduce((n, s) => {
      switch (s.kind) {
        case 'for':
          return n + size(s.extent) * count(s.body)
        case 'if':
          return n + Math.max(count(s.then), count(s.else))
        case 'let':
          return n + weightOf(s.value)
        case 'store':
        case 'accumulate':
          return n + 1 + weightOf(s.value)
        case 'alloc':
        case 'fail':
        case 'barrier':
          return n
      }
    }, 0)
  return count(kernel.body)
}

export const typicalExtent = (kernel: Kernel, x: Index): number =>
  estimator(kernel.symbols.map((s): SymbolInfo => ({ ...s, multipleOf: 1 })))(x)

/** Iterations of a loop at typical sizes; 1 where there is no such loop. */
export const typicalLength = (s: Schedule, axis: string): number => {
  const loop = tryFindLoop(s.kernel, axis)?.loop
  return loop === undefined ? 1 : typicalExtent(s.kernel, loop.extent)
}
