/** @file Loop-language semantics on a CPU: independent outer loops over the team. */
import { type ScheduleRule, start } from '../rule.ts'
import { inParallel } from './map.ts'

export const loopsRule: ScheduleRule = context =>
  context.region.stages.some(s => s.role === 'loops') ? inParallel(start(context), context) : undefined
