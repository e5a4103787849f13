/** @file What `inspect --stage cost` says: predictions over the dims, and the place of each kernel on the roofline at some sizes. */
import { type Plan, type Step, type SymbolInfo, printIndex } from '@quern/core-ir'
import type { LoweringResult } from '../lower-program.ts'
import { typicalTeam } from '../plan/stream.ts'
import type { TargetInfo } from '../target/target-info.ts'
import { rooflineOf } from './roofline.ts'
import { printMachine, printRoofline } from './roofline-text.ts'
import { printTime } from './time.ts'

/** What a dim without a bound counts as where the largest is asked for. */
const large = 1024

/** @param dims sizes to show; without them, the least and the largest */
export const costText = (
  { plans, kernels, unscheduled, costs, predicted }: LoweringResult,
  target: TargetInfo,
  dims: Readonly<Record<string, number>>,
  threads?: number,
): string => {
  const most = target.parallelism.kind === 'team' ? target.parallelism.threads : 1
  const team = Math.min(most, threads ?? typicalTeam)
  const plain = new Map([...unscheduled].map(([name, u]) => [name, u.region.kernel]))
  return [
    ...[...costs].map(
      ([name, c]) =>
        `${name}: ${printIndex(c.operations)} operations, ${printIndex(c.bytes)} bytes, ${printTime(c.time)} ms`,
    ),
    ...[...predicted].map(([entry, time]) => `a run of ${entry}: ${printTime(time)} ms`),
    '',
    printMachine(target),
    ...plans.flatMap(plan =>
      sizesToShow(plan, dims).map(at =>
        [
          '',
          headline(plan, at, team),
          printRoofline(rooflineOf({ plan, scheduled: kernels, plain, target }, at, team)),
        ].join('\n'),
      ),
    ),
  ].join('\n')
}

const headline = ({ entry }: Plan, at: Readonly<Record<string, number>>, team: number): string => {
  const sizes = Object.entries(at).map(([name, size]) => `${name} = ${size}`)
  return `${entry}${sizes.length === 0 ? '' : ` at ${sizes.join(', ')}`}, ${team === 1 ? 'one thread' : `${team} threads`}`
}

/** The dims that are given and, of each other one, its least and its largest size. */
export const sizesToShow = (
  plan: Plan,
  dims: Readonly<Record<string, number>>,
): readonly Readonly<Record<string, number>>[] => {
  const counters = new Set(countersOf(plan.steps))
  const free = plan.symbols.filter(s => s.upper === undefined && !counters.has(s.name))
  const at = (size: (s: SymbolInfo) => number): Readonly<Record<string, number>> =>
    Object.fromEntries(free.map(s => [s.name, dims[s.name] ?? size(s)]))
  const least = at(s => Math.max(s.min, Math.min(1, s.max ?? 1) * s.multipleOf)),
    largest = at(s => s.max ?? Math.max(s.min, large * s.multipleOf))
  return free.every(s => least[s.name] === largest[s.name]) ? [least] : [least, largest]
}

/** What loops count up is no size that anyone gives. */
const countersOf = (steps: readonly Step[]): readonly string[] =>
  steps.flatMap(s => {
    if (s.kind === 'loop') return [s.counter, ...countersOf(s.body)]
    return s.kind === 'if' ? [...countersOf(s.then), ...countersOf(s.else)] : []
  })
