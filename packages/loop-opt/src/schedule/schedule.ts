/** @file A schedule: a kernel, its stages and the trace of primitives that made it. Primitives return a new one. */
import { type Kernel, type Layout, type Numerics, numericsLevels } from '@quern/core-ir'
import type { LoweredRegion, Stage } from '../lower/lowered-region.ts'

/** What a primitive's arguments are made of: data that prints as JSON and replays. */
export type Arg = string | number | boolean | null | readonly Arg[] | { readonly [key: string]: Arg | undefined }

export interface Application {
  readonly primitive: string
  readonly args: readonly Arg[]
}

export interface Schedule {
  readonly kernel: Kernel
  readonly stages: readonly Stage[]
  readonly trace: readonly Application[]
  /** Layouts that params were given: constants are repacked to them at build, and the plan's buffers take them. */
  readonly layouts: ReadonlyMap<string, Layout>
  /** What primitives may change numerically; `rfactor` and reordered sums need `reassociates`. */
  readonly permits: Numerics
}

export interface ScheduleOptions {
  readonly permits?: Numerics
}

export const scheduleOf = (region: LoweredRegion | Kernel, options: ScheduleOptions = {}): Schedule => {
  const { kernel, stages } = 'kernel' in region ? region : { kernel: region, stages: [] }
  return { kernel, stages, trace: [], layouts: new Map(), permits: options.permits ?? 'exact' }
}

export const permits = (s: Schedule, level: Numerics): boolean =>
  numericsLevels.indexOf(s.permits) >= numericsLevels.indexOf(level)

/** What a primitive changes; the rest stays. */
export type Edit = Partial<Pick<Schedule, 'kernel' | 'stages' | 'layouts'>>

export interface Primitive<A extends readonly (Arg | undefined)[]> {
  (schedule: Schedule, ...args: A): Schedule
  readonly primitive: string
}

/** Makes a primitive of an edit: applies it and appends `{ primitive, args }` to the trace. */
export const primitive = <A extends readonly (Arg | undefined)[]>(
  name: string,
  edit: (s: Schedule, ...args: A) => Edit,
): Primitive<A> =>
  Object.assign(
    (s: Schedule, ...args: A): Schedule => {
      const given = args.filter((a): a is Arg & A[number] => a !== undefined)
      return { ...s, ...edit(s, ...args), trace: [...s.trace, { primitive: name, args: given }] }
    },
    { primitive: name },
  )

/** Replaces axes in the stages' lists: an axis that was split stands for its parts, a fused one for its whole. */
export const renameAxes = (stages: readonly Stage[], to: (axis: string) => readonly string[]): readonly Stage[] =>
  stages.map(s => ({ ...s, spatial: [...new Set(s.spatial.flatMap(to))], reduce: [...new Set(s.reduce.flatMap(to))] }))
