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
  text
    .split('\n')
    .filter(line => line.trim() !== '')
    .map((line, i): Application => {
      const match = /^\s*(\w+)\((.*)\)\s*$/.exec(line)
      const [, primitive, list] = match ?? []
      const args = list === undefined ? undefined : tryParse(`[${list}]`)
      if (primitive === undefined || args === undefined)
        throw new QuernError(
          'schedule/trace-syntax',
          `line ${i + 1} of the trace is no primitive with arguments: ${line.trim()}`,
          { line: i + 1 },
        )
      return { primitive, args }
    })

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
