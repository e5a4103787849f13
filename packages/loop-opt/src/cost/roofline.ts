/**
 * @file The roofline: for each kernel of a plan, at given sizes, the least time that its work and its data permit, the time that
 * its schedule is predicted to take, and what decides it.
 */
import { type Kernel, type Plan, type Step } from '@quern/core-ir'
import type { TargetInfo } from '../target/target-info.ts'
import { type CorePart, coreTime } from './core-time.ts'
import { microseconds } from './cycles.ts'
import { roundsByData } from './kernel-cost.ts'
import { type Sizes, inside, sizeOf, symbolSizes } from './sizes.ts'
import { type Bytes, missesOf, total, touchedBy } from './traffic.ts'

/** What the time of a kernel goes to: a part of the core, a level of the memory, or starting it and meeting. */
export type Bound = CorePart | `L${number}` | 'memory' | 'overhead'

export interface KernelRoofline {
  readonly kernel: string
  /** Calls in one run; the other numbers are of all of them. */
  readonly calls: number
  readonly operations: number
  /** Bytes out of each level, the nearest cache first, memory last. */
  readonly bytes: readonly number[]
  /** Operations for each byte that has to be touched at all. */
  readonly intensity: number
  /** Milliseconds. */
  readonly floor: number
  readonly predicted: number
  readonly bound: Bound
}

export interface RooflineInput {
  readonly plan: Plan
  /** As schedules left them. */
  readonly scheduled: ReadonlyMap<string, Kernel>
  /** As lowering left them: what has to be done, in whatever order. */
  readonly plain: ReadonlyMap<string, Kernel>
  readonly target: TargetInfo
}

/** @param dims sizes of the plan's symbols; what is not named counts at its least */
export const rooflineOf = (
  { plan, scheduled, plain, target }: RooflineInput,
  dims: Readonly<Record<string, number>>,
  threads = 1,
): readonly KernelRoofline[] => {
  const sizes: Sizes = new Map(plan.symbols.map(s => [s.name, dims[s.name] ?? s.min]))
  const bound = new Map(
    plan.symbols.map(s => [s.name, s.upper === undefined ? (sizes.get(s.name) ?? s.min) : sizeOf(s.upper, sizes)]),
  )
  const calls = callsOf(plan.steps, bound, 1)
  const of = new Map<string, Once>()
  const once = (name: string): Once => {
    const known = of.get(name)
    if (known !== undefined) return known
    const kernel = scheduled.get(name),
      unscheduled = plain.get(name)
    if (kernel === undefined || unscheduled === undefined) throw new Error(`the plan has no kernel ${name}`)
    const made = onceOf(kernel, unscheduled, symbolSizes(kernel, Object.fromEntries(bound)), target, threads)
    of.set(name, made)
    return made
  }
  const placeOf = placesOf(plan)
  const touches = calls.map(({ kernel, args }) => {
    const { params, touched } = once(kernel)
    return new Map(params.map((name, i) => [placeOf(args[i] ?? ''), touched.get(name) ?? 0]))
  })
  const team = threads > 1 && [...of.values()].some(k => k.parallel)
  const rows = new Map<string, readonly Row[]>()
  calls.forEach(({ kernel, args, times }, at) => {
    const far = (param: number): number => distance(touches, at, placeOf(args[param] ?? ''))
    const row = oneCall(once(kernel), far, target, threads, team)
    rows.set(kernel, [...(rows.get(kernel) ?? []), { ...row, times }])
  })
  return [...rows].map(([kernel, parts]) => summed(kernel, parts))
}

/** A kernel at its sizes, whatever lies where. */
interface Once {
  readonly params: readonly string[]
  readonly operations: number
  readonly touched: Bytes
  /** By cache: what misses it. */
  readonly misses: readonly Bytes[]
  readonly issued: number
  readonly coreMs: number
  readonly parts: Readonly<Record<CorePart, number>>
  readonly parallel: boolean
}

const onceOf = (kernel: Kernel, unscheduled: Kernel, sizes: Sizes, target: TargetInfo, threads: number): Once => {
  const { cycles, parts, bytes, operations: done } = coreTime(kernel, sizes, target)
  // A schedule that computes once what two loops need shows that less has to be done.
  const operations = Math.min(done, coreTime(unscheduled, sizes, target).operations)
  const shares = kernel.body.flatMap(s =>
    s.kind === 'for' && s.tag === 'parallel' ? [Math.max(1, sizeOf(s.extent, sizes))] : [],
  )
  const rounds = Math.max(1, ...shares)
  const parallel = shares.length > 0
  // The longest share of a team is what the others wait for.
  const alone = parallel ? Math.ceil(rounds / Math.min(threads, rounds)) / rounds : 1
  return {
    params: kernel.params.map(p => p.name),
    operations,
    touched: touchedBy(unscheduled, sizes),
    misses: target.cacheBytes.map(capacity => missesOf(kernel, sizes, capacity)),
    issued: bytes,
    coreMs:
      target.core === undefined
        ? microseconds(operations, target) / 1e3
        : (cycles * alone) / (target.core.gigahertz * 1e6),
    parts,
    parallel,
  }
}

interface Row {
  readonly operations: number
  readonly bytes: readonly number[]
  readonly touched: number
  readonly floor: number
  readonly predicted: number
  readonly bound: Bound
  readonly times: number
}

/** @param far bytes that were touched since a param's memory was touched last */
const oneCall = (
  once: Once,
  far: (param: number) => number,
  target: TargetInfo,
  threads: number,
  team: boolean,
): Omit<Row, 'times'> => {
  const { speed, cacheBytes } = target
  const distances = once.params.map((_, i) => far(i))
  // From the level that still holds it, or from memory.
  const levels = [...speed.cacheBandwidth, speed.bandwidth]
  const missed = cacheBytes.map((capacity, level) => {
    const misses = once.misses[level] ?? new Map<string, number>()
    return [...misses].reduce((sum, [name, bytes]) => {
      const param = once.params.indexOf(name)
      const near = param < 0 || (distances[param] ?? 0) <= capacity
      return sum + Math.max(0, bytes - (near ? (once.touched.get(name) ?? bytes) : 0))
    }, 0)
  })
  const bytes = [once.issued, ...missed]
  const needed = levels.map((_, level) =>
    once.params.reduce((sum, name, i) => {
      const beyond = level === 0 || (distances[i] ?? 0) > (cacheBytes[level - 1] ?? 0)
      return beyond ? sum + (once.touched.get(name) ?? 0) : sum
    }, 0),
  )
  const scaled = (level: number, members: number): number =>
    level < cacheBytes.length ? members : members > 1 ? speed.teamBandwidth : 1
  const times = (of: readonly number[], members: number): number[] =>
    of.map((n, level) => n / ((levels[level] ?? speed.bandwidth) * 1e6 * scaled(level, members)))
  const floor = Math.max(microseconds(once.operations, target) / 1e3 / threads, ...times(needed, threads))
  // What the nearest cache gives is a matter of ports, which the core's time counts.
  const [issue = 0, ...beyond] = times(bytes, once.parallel ? threads : 1)
  const moved = target.core === undefined ? [issue, ...beyond] : [0, ...beyond]
  const work = Math.max(once.coreMs, ...moved)
  const overhead = (speed.launchMicroseconds + (team ? speed.barrierMicroseconds : 0)) / 1e3
  return {
    operations: once.operations,
    bytes,
    touched: total(new Map([...once.touched].filter(([name]) => once.params.includes(name)))),
    floor,
    predicted: work + overhead,
    bound:
      overhead > work
        ? 'overhead'
        : once.coreMs >= work
          ? longestPart(once.parts)
          : levelName(moved.indexOf(work), cacheBytes.length),
  }
}

const longestPart = (parts: Readonly<Record<CorePart, number>>): CorePart => {
  const names = ['arithmetic', 'L1', 'latency', 'registers', 'loops'] as const
  return names.reduce((a, b) => (parts[b] > parts[a] ? b : a))
}

export const levelName = (level: number, caches: number): `L${number}` | 'memory' =>
  level >= caches ? 'memory' : `L${level + 1}`

const summed = (kernel: string, rows: readonly Row[]): KernelRoofline => {
  const sum = (of: (row: Row) => number): number => rows.reduce((n, r) => n + r.times * of(r), 0)
  const operations = sum(r => r.operations)
  const [longest] = [...rows].sort((a, b) => b.times * b.predicted - a.times * a.predicted)
  const levels = longest?.bytes.length ?? 0
  return {
    kernel,
    calls: sum(() => 1),
    operations,
    bytes: Array.from({ length: levels }, (_, level) => sum(r => r.bytes[level] ?? 0)),
    intensity:
      operations /
      Math.max(
        1,
        sum(r => r.touched),
      ),
    floor: sum(r => r.floor),
    predicted: sum(r => r.predicted),
    bound: longest?.bound ?? 'overhead',
  }
}

interface Call {
  readonly kernel: string
  readonly args: readonly string[]
  readonly times: number
}

/** The calls of a run in their order. A loop's body stands there twice: its first round, and all others, which come after one like them. */
const callsOf = (steps: readonly Step[], sizes: Sizes, times: number): readonly Call[] =>
  steps.flatMap((s): readonly Call[] => {
    switch (s.kind) {
      case 'kernel':
        return [{ kernel: s.kernel, args: s.args, times }]
      case 'if':
        return [...callsOf(s.then, sizes, times), ...callsOf(s.else, sizes, times)]
      case 'loop': {
        const rounds = typeof s.limit === 'object' ? sizeOf(s.limit, sizes) : roundsByData
        const body = (count: number): readonly Call[] =>
          count <= 0 ? [] : callsOf(s.body, inside(sizes, s.counter, rounds), times * count)
        return [...body(Math.min(1, rounds)), ...body(rounds - 1)]
      }
      case 'copy':
      case 'define':
        return []
    }
  })

/** The memory of a buffer: its slot, which others have too, or what holds the constant or state. */
const placesOf = (plan: Plan): ((name: string) => string) => {
  const buffers = new Map(plan.buffers.map(b => [b.name, b]))
  const root = (name: string): string => {
    const parent = buffers.get(name)?.aliasOf
    return parent === undefined ? name : root(parent)
  }
  return name => {
    const own = root(name)
    const slot = plan.memory?.slotOf.get(own)
    return slot === undefined ? own : `slot ${slot}`
  }
}

/** Bytes of other memory that calls touched since this one's was; where a run does not say, the run before it was the same. */
const distance = (touches: readonly Bytes[], at: number, place: string): number => {
  const between = new Map<string, number>()
  for (let back = 1; back <= touches.length; back++) {
    const step = touches[(at - back + touches.length) % touches.length]
    if (step === undefined || step.has(place)) break
    for (const [name, bytes] of step) between.set(name, Math.max(between.get(name) ?? 0, bytes))
  }
  const own = touches[at]?.get(place) ?? 0
  // What was read first is the first to go: of a buffer, all of it was touched since.
  return total(between) + own
}
