/** @file Chooses the rule for a kernel. Where none applies the kernel stays as it is: slow, and correct. */
import { ix } from '@quern/core-ir'
import { sharesEvenly, teamCycles } from '../cost/team-time.ts'
import { blockSum } from '../schedule/primitives/block-sum.ts'
import type { Schedule } from '../schedule/schedule.ts'
import type { TargetInfo } from '../target/target-info.ts'
import { shortenSums } from './shorten-sums.ts'
import { type RuleContext, type ScheduleRule, firstOf, start, topLoops, typicalExtent } from './rule.ts'
import { attentionRule } from './wasm/attention.ts'
import { channelsRule } from './wasm/channels.ts'
import { columnsRule } from './wasm/columns.ts'
import { contractionRule } from './wasm/contraction.ts'
import { loopsRule } from './wasm/loops.ts'
import { inParallel, isTeam, isWorthTeam, mapRule } from './wasm/map.ts'
import { rowRule } from './wasm/rows.ts'
import { tileRule } from './wasm/tiles.ts'
import { gridContractionRule } from './webgpu/contraction.ts'
import { gridConvolutionRule } from './webgpu/convolution.ts'
import { gridLoopsRule } from './webgpu/loops.ts'
import { gridMapRule } from './webgpu/map.ts'
import { gridTreeRule } from './webgpu/rows.ts'
import { gridThinRule } from './webgpu/thin.ts'
import { gridRowsRule, gridTileRule } from './webgpu/tiles.ts'

/** In the order in which they are tried. */
const rules: Readonly<Record<TargetInfo['kind'], readonly ScheduleRule[]>> = {
  wasm: [attentionRule, contractionRule, mapRule, channelsRule, tileRule, columnsRule, rowRule, loopsRule],
  webgpu: [
    gridMapRule,
    gridContractionRule,
    gridThinRule,
    gridConvolutionRule,
    gridTreeRule,
    gridTileRule,
    gridRowsRule,
    gridLoopsRule,
  ],
}

/** On a GPU sums are trees. Tiles of products stay in registers, and have no room for partial results of their own. */
const inBlocks = ({ target, kind }: RuleContext): boolean =>
  target.kind === 'wasm' && kind !== 'contraction' && kind !== 'convolution' && kind !== 'attention'

const byRules = (context: RuleContext): Schedule => {
  const made = firstOf(...rules[context.target.kind].map(rule => () => rule(context))) ?? start(context)
  return inBlocks(context) ? shortenSums(made) : made
}

const forOne = (context: RuleContext): RuleContext => ({
  ...context,
  target: { ...context.target, parallelism: { kind: 'team', threads: 1 } },
})

/**
 * What a team does is what one thread does, split over it; rules look for something else where that cannot be split, or only
 * into few shares, some of them longer than others.
 * @param alone the schedule of the same kernel for one thread, where it is known
 */
export const scheduleKernel = (context: RuleContext, alone?: Schedule): Schedule => {
  if (!isTeam(context)) return byRules(context)
  const single = alone ?? byRules(forOne(context))
  if (!isWorthTeam(context)) return single
  const split = inParallel(single, context)
  // A kernel that no rule touched stays as it is.
  const done =
    single.trace.some(a => a.primitive !== blockSum.primitive) &&
    topLoops(split.kernel).every(loop => loop.tag === 'parallel')
  if (!done) return byRules(context)
  const { kernel } = context.region
  const sizes = new Map(kernel.symbols.map(({ name }) => [name, typicalExtent(kernel, ix.variable(name))]))
  if (sharesEvenly(split.kernel, sizes)) return split
  const other = byRules(context)
  const cyclesOf = (s: Schedule): number => teamCycles(s.kernel, sizes, context.target)
  return cyclesOf(other) < cyclesOf(split) ? other : split
}
