/**
 * @file From regions to plans: the middle of the pipeline as a page. Lowering knows a region and whether its target loops
 * or dispatches; from `scheduleKernel` on everything knows the whole target.
 */
import { QuernError } from '@quern/artifact'
import type { Kernel, LoweredProgram, Numerics, Plan, ProgramGraph } from '@quern/core-ir'
import { type KernelCost, costOf } from './cost/kernel-cost.ts'
import { predictedTime } from './cost/predict.ts'
import type { Time } from './cost/time.ts'
import { planMemory } from './memory/plan-memory.ts'
import { buildPlan } from './plan/build-plan.ts'
import { constantParams, withLayouts } from './plan/constant-layouts.ts'
import { streamOf } from './plan/stream.ts'
import { removeCopies } from './plan/remove-copies.ts'
import { Names, type UnscheduledKernel } from './plan/plan-builder.ts'
import { shareKernels } from './plan/share-kernels.ts'
import { scheduleKernel } from './rules/schedule-kernel.ts'
import type { Application, Schedule } from './schedule/schedule.ts'
import { replay } from './schedule/trace.ts'
import type { TargetInfo } from './target/target-info.ts'

export interface LowerProgramOptions {
  /** What schedules may change numerically. Default `reassociates`. */
  readonly numerics?: Numerics
  /** Traces to replay in the place of the rules, by kernel name. */
  readonly schedules?: ReadonlyMap<string, readonly Application[]>
  /** The symbols of entries whose rows along them are independent. */
  readonly rows?: ReadonlyMap<string, string>
}

export interface LoweringResult extends LoweredProgram {
  /** Every kernel as lowering left it, with its stages. */
  readonly unscheduled: ReadonlyMap<string, UnscheduledKernel>
  /** The primitives that made each kernel. */
  readonly traces: ReadonlyMap<string, readonly Application[]>
  readonly costs: ReadonlyMap<string, KernelCost>
  /** The time of one run of each entry, over the dims that callers bind. */
  readonly predicted: ReadonlyMap<string, Time>
}

export const lowerProgram = (
  program: ProgramGraph,
  target: TargetInfo,
  options: LowerProgramOptions = {},
): LoweringResult => {
  const loops = lowerRegions(program, target, options)
  return planned(loops, scheduled(loops, target, options).all, target, program.name, options)
}

/**
 * Lowers one program for targets of one kind. What is equal is done once: the loops of every kernel, the schedule of a target that
 * differs from an earlier one in the size of its team only, and schedules that never asked for relaxed SIMD.
 */
export const lowerVariants = (
  program: ProgramGraph,
  targets: readonly TargetInfo[],
  options: LowerProgramOptions = {},
): readonly LoweringResult[] => {
  const lowered = new Map<string, Loops>()
  const alone = new Map<string, Scheduled>()
  const indifferent = new Map<string, Schedules>()
  return targets.map(target => {
    const { parallelism, ...rest } = target
    const { buffersPerKernel, enoughResults, elementBytes, inPlaceBindings, oneMemory } = target
    const shape = JSON.stringify([
      parallelism.kind,
      buffersPerKernel,
      enoughResults,
      elementBytes,
      inPlaceBindings,
      oneMemory,
    ])
    const loops = lowered.get(shape) ?? lowerRegions(program, target, options)
    lowered.set(shape, loops)
    const same = JSON.stringify([parallelism.kind, rest])
    const butRelaxed = JSON.stringify({ ...target, features: { ...target.features, relaxedSimd: false } })
    const schedules = scheduled(loops, target, options, alone.get(same), indifferent.get(butRelaxed))
    indifferent.set(butRelaxed, schedules.indifferent)
    if (parallelism.kind === 'team' && parallelism.threads === 1) alone.set(same, schedules)
    return planned(loops, schedules.all, target, program.name, options)
  })
}

/** A program as unscheduled kernels, and plans that call them and say where what they compute lies. */
interface Loops {
  readonly kernels: ReadonlyMap<string, UnscheduledKernel>
  /** Their kernels alone. */
  readonly plain: ReadonlyMap<string, Kernel>
  readonly plans: readonly Plan[]
  /** By kernel, the params that get constants. */
  readonly constants: ReadonlyMap<string, ReadonlySet<string>>
}

const lowerRegions = (
  program: ProgramGraph,
  { buffersPerKernel, parallelism, enoughResults, elementBytes, inPlaceBindings, oneMemory }: TargetInfo,
  { numerics: permits = 'reassociates' }: LowerProgramOptions,
): Loops => {
  const own = new Map<string, UnscheduledKernel>()
  const names = new Names()
  const separate = [...program.entries].map(([entry, graph]) => {
    // One or more perfect nests for each region, and the steps that call them. Correct as they are, on every executor.
    const plan = buildPlan(entry, graph, program.states, own, names, {
      buffersPerKernel,
      loopOverOne: parallelism.kind === 'grid',
      enoughResults,
      permits,
    })
    // Before kernels are shared: a kernel that writes over what it reads is another one.
    return removeCopies(plan, own)
  })
  // A param is packed only if it is a constant at every call, which must be known before calls are joined.
  const constants = constantParams(separate, own)
  // Equal kernels become one before anything dear happens to them.
  const { plans, kernels } = shareKernels(separate, own, constants)
  const plain = new Map([...kernels].map(([name, { region }]) => [name, region.kernel]))
  // What may share memory is a matter of which buffers kernels touch, not of their order inside.
  const placed = plans.map(p => ({
    ...p,
    memory: planMemory(p, plain, { elementBytes, inPlace: inPlaceBindings, oneMemory }),
  }))
  return { kernels, plans: placed, constants, plain }
}

type Schedules = ReadonlyMap<string, Schedule>

interface Scheduled {
  readonly all: Schedules
  /** Those of them that are the same with and without relaxed SIMD. */
  readonly indifferent: Schedules
}

/** Every order, tile and staged buffer, and the layout in which each kernel wants its constants. */
const scheduled = (
  { kernels, constants }: Loops,
  target: TargetInfo,
  options: LowerProgramOptions,
  alone?: Scheduled,
  known?: Schedules,
): Scheduled => {
  const permits = options.numerics ?? 'reassociates'
  for (const name of options.schedules?.keys() ?? [])
    if (!kernels.has(name))
      throw new QuernError(
        'schedule/unknown-kernel',
        `a schedule is given for the kernel ${name}, and the program has ${[...kernels.keys()].join(', ')}`,
        { kernel: name },
      )
  const all = new Map<string, Schedule>(),
    indifferent = new Map<string, Schedule>()
  for (const [name, { region, kind }] of kernels) {
    const given = options.schedules?.get(name)
    const watched = watchRelaxed(target)
    const context = {
      region,
      kind,
      target: watched.target,
      permits,
      constants: constants.get(name) ?? new Set<string>(),
    }
    const schedule =
      known?.get(name) ??
      (given === undefined ? scheduleKernel(context, alone?.all.get(name)) : replay(region, given, { permits }))
    all.set(name, schedule)
    // What a team does rests on what one thread does, whose rules were asked before.
    const rests = alone?.all.has(name) === true && !alone.indifferent.has(name)
    if (!watched.asked() && !rests) indifferent.set(name, schedule)
  }
  return { all, indifferent }
}

/** The same target, and whether anything has looked at its relaxed SIMD. */
const watchRelaxed = (target: TargetInfo): { readonly target: TargetInfo; readonly asked: () => boolean } => {
  let asked = false
  const { relaxedSimd, ...features } = target.features
  return {
    asked: () => asked,
    target: {
      ...target,
      features: {
        ...features,
        get relaxedSimd() {
          asked = true
          return relaxedSimd
        },
      },
    },
  }
}

const planned = (
  { kernels: unscheduled, plans: drafts, plain }: Loops,
  schedules: Schedules,
  target: TargetInfo,
  name: string,
  options: LowerProgramOptions,
): LoweringResult => {
  const plans = drafts.map(draft => {
    // A constant that two kernels want differently is two buffers.
    const plan = withLayouts(draft, schedules, plain)
    // What one row takes is known now, and so how many rows a cache holds.
    const along = options.rows?.get(plan.entry)
    const stream = along === undefined ? undefined : streamOf(plan, along, target)
    return { ...plan, ...(stream !== undefined && { stream }) }
  })
  const costs = new Map([...plain].map(([kernel, loops]) => [kernel, costOf(loops, target)]))
  return {
    name,
    kernels: new Map([...schedules].map(([kernel, s]): [string, Kernel] => [kernel, s.kernel])),
    plans,
    unscheduled,
    traces: new Map([...schedules].map(([kernel, s]) => [kernel, s.trace])),
    costs,
    predicted: new Map(plans.map(p => [p.entry, predictedTime(p, costs, target)])),
  }
}
