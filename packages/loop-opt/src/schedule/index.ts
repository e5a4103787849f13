/** @file Schedules: primitives, traces and what they are made of. */
export * from './primitives.ts'
export * from './schedule.ts'
export * from './trace.ts'
export type { PhysicalDim } from './primitives/layout.ts'
export type { SplitOptions, Tail } from './primitives/split.ts'
export type { StageOptions } from './primitives/stage.ts'
