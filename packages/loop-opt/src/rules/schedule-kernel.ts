/** @file Chooses the rule for a kernel. Where none applies the kernel stays as it is: slow, and correct. */
import type { Schedule } from '../schedule/schedule.ts'
import type { TargetInfo } from '../target/target-info.ts'
import { type RuleContext, type ScheduleRule, firstOf, start } from './rule.ts'
import { columnsRule } from './wasm/columns.ts'
import { contractionRule } from './wasm/contraction.ts'
import { loopsRule } from './wasm/loops.ts'
import { mapRule } from './wasm/map.ts'
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
  wasm: [contractionRule, mapRule, tileRule, columnsRule, rowRule, loopsRule],
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

export const scheduleKernel = (context: RuleContext): Schedule =>
  firstOf(...rules[context.target.kind].map(rule => () => rule(context))) ?? start(context)
