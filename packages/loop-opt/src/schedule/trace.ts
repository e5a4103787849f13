/** @file The trace of a schedule as text, and its replay on a kernel. */
import { QuernError } from '@quern/artifact'
import type { Kernel } from '@quern/core-ir'
import type { LoweredRegion } from '../lower/lowered-region.ts'
import { primitives } from './primitives.ts'
import { type Application, type Arg, type Schedule, type ScheduleOptions, scheduleOf } from './schedule.ts'

/** One application a line: `split("i", 4, {"tail":"guard"})`. */
export const printTrace = (trace: readonly Application[]): string =>
  trace.map(({ primitive, args }) => `${primitive}(${args.map(printArg).join(', ')})`).join('\n')

/** As JSON, in which numbers too large for a double stand for the infinities that fills of a maximum or minimum are. */
const printArg = (a: Arg): string => {
  if (typeof a === 'number') {
    if (Number.isNaN(a)) throw new RangeError('a trace holds no NaN')
    return Number.isFinite(a) ? (Object.is(a, -0) ? '-0' : String(a)) : a > 0 ? '1e999' : '-1e999'
  }
  if (a === null || typeof a !== 'object') return JSON.stringify(a)
  if (isList(a)) return `[${a.map(printArg).join(',')}]`
  const entries = Object.entries(a).flatMap(([key, x]) =>
    x === undefined ? [] : [`${JSON.stringify(key)}:${printArg(x)}`],
  )
  return `{${entries.join(',')}}`
}

const isList = (a: Arg): a is readonly Arg[] => Array.isArray(a)

export const parseTrace = (text: string): Application[] =>
  text.split('\n').flatMap((line, i): Application[] => {
    if (line.trim() === '') return []
    const match = /^\s*(\w+)\((.*)\)\s*$/.exec(line)
    const [, primitive, list] = match ?? []
    const args = list === undefined ? undefined : tryParse(`[${list}]`)
    if (primitive === undefined || args === undefined)
      throw new QuernError(
        'schedule/trace-syntax',
        `line ${i + 1} of the trace is no primitive with arguments: ${line.trim()}`,
        { line: i + 1 },
      )
    return [{ primitive, args }]
  })

/** The traces of a program's kernels: a line with the kernel's name and a colon above each. */
export const printSchedules = (traces: ReadonlyMap<string, readonly Application[]>): string =>
  [...traces].map(([kernel, trace]) => `${kernel}:\n${printTrace(trace)}`).join('\n\n')

/** The inverse of {@link printSchedules}. Kernels that are left out keep the schedule of the rules. */
export const parseSchedules = (text: string): ReadonlyMap<string, readonly Application[]> => {
  const lines = text.split('\n')
  const heads = lines.flatMap((line, i) => {
    const kernel = /^\s*(\w+):\s*$/.exec(line)?.[1]
    return kernel === undefined ? [] : [{ kernel, line: i }]
  })
  const stray = lines.slice(0, heads[0]?.line ?? lines.length).findIndex(line => line.trim() !== '')
  if (stray >= 0)
    throw new QuernError(
      'schedule/trace-syntax',
      `line ${stray + 1} stands under no kernel: a schedule begins with the kernel's name and a colon, on a line of their own`,
      { line: stray + 1 },
    )
  // Empty lines in the place of what is above, so that errors count as the text does.
  return new Map(
    heads.map(({ kernel, line }, i) => [
      kernel,
      parseTrace('\n'.repeat(line + 1) + lines.slice(line + 1, heads[i + 1]?.line).join('\n')),
    ]),
  )
}

const tryParse = (text: string): readonly Arg[] | undefined => {
  try {
    const value: readonly Arg[] = JSON.parse(text)
    return value
  } catch {
    return undefined
  }
}

/** Applies a trace. Primitives check their own preconditions, so a trace that does not fit this kernel is refused. */
export const replay = (
  region: LoweredRegion | Kernel,
  trace: readonly Application[],
  options: ScheduleOptions = {},
): Schedule =>
  trace.reduce(
    (s, { primitive, args }) => {
      const apply = Object.hasOwn(primitives, primitive) ? primitives[primitive as keyof typeof primitives] : undefined
      if (apply === undefined)
        throw new QuernError(
          'schedule/trace-primitive',
          `there is no primitive ${primitive}; there are ${Object.keys(primitives).join(', ')}`,
          { primitive },
        )
      return (apply as (s: Schedule, ...args: readonly Arg[]) => Schedule)(s, ...args)
    },
    scheduleOf(region, options),
  )
