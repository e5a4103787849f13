/** @file Chooses the rule for a kernel. A rule that does not apply leaves the kernel as it is: slow, and correct. */
import type { Numerics } from '@quern/core-ir'
import type { LoweredRegion } from '../lower/lowered-region.ts'
import { type Schedule, scheduleOf } from '../schedule/schedule.ts'
import type { TargetInfo } from '../target/target-info.ts'

/** A rule: a schedule, or undefined where it has nothing to say. */
export type ScheduleRule = (region: LoweredRegion, target: TargetInfo, permits: Numerics) => Schedule | undefined

const rules: Readonly<Record<TargetInfo['kind'], readonly ScheduleRule[]>> = { wasm: [], webgpu: [] }

export const scheduleKernel = (
  region: LoweredRegion,
  _kind: string,
  target: TargetInfo,
  permits: Numerics,
): Schedule => {
  for (const rule of rules[target.kind]) {
    const schedule = rule(region, target, permits)
    if (schedule !== undefined) return schedule
  }
  return scheduleOf(region, { permits })
}
