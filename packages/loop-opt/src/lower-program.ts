/** @file A program with regions as scheduled kernels and plans: the one function that the compiler calls here. */
import {
  type Kernel,
  type LoweredProgram,
  type Numerics,
  type Plan,
  type PlanBuffer,
  type ProgramGraph,
  type Step,
} from '@quern/core-ir'
import { type KernelCost, costOf } from './cost/kernel-cost.ts'
import { planMemory } from './memory/plan-memory.ts'
import { buildPlan } from './plan/build-plan.ts'
import { updateStatesInPlace } from './plan/in-place-states.ts'
import { Names, type UnscheduledKernel } from './plan/plan-builder.ts'
import { buffersIn, mapKernels } from './plan/steps.ts'
import { shareKernels } from './plan/share-kernels.ts'
import { scheduleKernel } from './rules/schedule-kernel.ts'
import type { Application, Schedule } from './schedule/schedule.ts'
import { replay } from './schedule/trace.ts'
import type { TargetInfo } from './target/target-info.ts'

export interface LowerProgramOptions {
  /** What schedules may change numerically. Default `reassociates`. */
  readonly numerics?: Numerics
  /** Traces to replay in the place of the rules, by kernel name. */
  readonly schedules?: Readonly<Record<string, readonly Application[]>>
}

export interface LoweringResult extends LoweredProgram {
  /** Every kernel as lowering left it, with its stages. */
  readonly unscheduled: ReadonlyMap<string, UnscheduledKernel>
  /** The primitives that made each kernel. */
  readonly traces: ReadonlyMap<string, readonly Application[]>
  readonly costs: ReadonlyMap<string, KernelCost>
  /** Milliseconds of one run of each entry, at the symbols' lower bounds. */
  readonly predictedMs: ReadonlyMap<string, number>
}

export const lowerProgram = (
  program: ProgramGraph,
  target: TargetInfo,
  options: LowerProgramOptions = {},
): LoweringResult => schedulerOf(program, target, options)(target).result

/**
 * Lowers one program for targets of one kind. What is equal is done once: the loops of every kernel, and the schedule of
 * a target that differs from an earlier one in the size of its team only.
 */
export const lowerVariants = (
  program: ProgramGraph,
  targets: readonly TargetInfo[],
  options: LowerProgramOptions = {},
): readonly LoweringResult[] => {
  const schedulers = new Map<string, ReturnType<typeof schedulerOf>>()
  const alone = new Map<string, ReadonlyMap<string, Schedule>>()
  return targets.map(target => {
    const { parallelism, ...rest } = target
    const shape = JSON.stringify([parallelism.kind, target.buffersPerKernel])
    const schedule = schedulers.get(shape) ?? schedulerOf(program, target, options)
    schedulers.set(shape, schedule)
    const same = JSON.stringify([parallelism.kind, rest])
    const { result, schedules } = schedule(target, alone.get(same))
    if (parallelism.kind === 'team' && parallelism.threads === 1) alone.set(same, schedules)
    return result
  })
}

/** The loops of a program, and the function that schedules them for a target. */
const schedulerOf = (
  program: ProgramGraph,
  { buffersPerKernel, parallelism }: TargetInfo,
  options: LowerProgramOptions,
) => {
  const own = new Map<string, UnscheduledKernel>()
  const kernelNames = new Names()
  const separate = [...program.entries].map(([entry, graph]) =>
    updateStatesInPlace(
      buildPlan(entry, graph, program.states, own, kernelNames, {
        buffersPerKernel,
        loopOverOne: parallelism.kind === 'grid',
      }),
      own,
    ),
  )
  const permits = options.numerics ?? 'reassociates'
  const constants = constantParams(separate, own)
  const { plans: drafts, kernels: unscheduled } = shareKernels(separate, own, constants)
  const plain = new Map([...unscheduled].map(([name, { region }]) => [name, region.kernel]))
  return (
    target: TargetInfo,
    alone?: ReadonlyMap<string, Schedule>,
  ): { result: LoweringResult; schedules: ReadonlyMap<string, Schedule> } => {
    const schedules = new Map<string, Schedule>()
    for (const [name, { region, kind }] of unscheduled) {
      const given = options.schedules?.[name]
      const context = { region, kind, target, permits, constants: constants.get(name) ?? new Set<string>() }
      schedules.set(
        name,
        given === undefined ? scheduleKernel(context, alone?.get(name)) : replay(region, given, { permits }),
      )
    }
    const plans = drafts.map(draft => {
      const plan = withLayouts(draft, schedules, plain)
      const memory = planMemory(plan, plain, { elementBytes: target.elementBytes, inPlace: target.inPlaceBindings })
      return { ...plan, memory }
    })
    const costs = new Map([...plain].map(([name, kernel]) => [name, costOf(kernel, target)]))
    const result = {
      name: program.name,
      kernels: new Map([...schedules].map(([name, s]): [string, Kernel] => [name, s.kernel])),
      plans,
      unscheduled,
      traces: new Map([...schedules].map(([name, s]) => [name, s.trace])),
      costs,
      predictedMs: new Map(plans.map(p => [p.entry, predicted(p.steps, costs) + target.speed.runMicroseconds / 1e3])),
    }
    return { result, schedules }
  }
}

/** The params of each kernel that get a constant wherever the kernel is called. */
const constantParams = (
  plans: readonly Plan[],
  kernels: ReadonlyMap<string, UnscheduledKernel>,
): ReadonlyMap<string, ReadonlySet<string>> => {
  const found = new Map<string, Set<string>>()
  for (const plan of plans) {
    const buffers = new Map(plan.buffers.map(b => [b.name, b]))
    mapKernels(plan.steps, (kernel, args) => {
      const params = kernels.get(kernel)?.region.kernel.params ?? []
      const constant = params.flatMap((p, i) => (buffers.get(args[i] ?? '')?.kind === 'constant' ? [p.name] : []))
      const before = found.get(kernel)
      found.set(kernel, new Set(constant.filter(p => before?.has(p) ?? true)))
      return args
    })
  }
  return found
}

/** Constants take the layouts in which kernels want them; one that two kernels want differently is kept twice. */
const withLayouts = (
  plan: Plan,
  schedules: ReadonlyMap<string, Schedule>,
  plain: ReadonlyMap<string, Kernel>,
): Plan => {
  const buffers = new Map(plan.buffers.map(b => [b.name, b]))
  const copies = new Map<string, string>()
  const wanted = (arg: string, kernel: string, param: number): string => {
    const schedule = schedules.get(kernel)
    const name = schedule?.kernel.params[param]?.name
    const layout = name === undefined ? undefined : schedule?.layouts.get(name)
    const buffer = buffers.get(arg)
    if (layout === undefined || buffer === undefined) return arg
    if (buffer.kind !== 'constant')
      throw new Error(`${kernel} wants ${arg} in a layout of its own, and it is no constant`)
    const key = `${arg} ${JSON.stringify([layout.map, layout.shape, layout.strides ?? [], layout.offset ?? null])}`
    const known = copies.get(key)
    if (known !== undefined) return known
    let copy = `${arg}_packed`
    for (let i = 2; buffers.has(copy); i++) copy = `${arg}_packed_${i}`
    // The layout is one of the param's dims, which may be fewer than the constant's: the same elements in the same order.
    const shape = plain.get(kernel)?.params[param]?.shape ?? buffer.shape
    buffers.set(copy, { ...buffer, name: copy, shape, layout })
    copies.set(key, copy)
    return copy
  }
  const steps = mapKernels(plan.steps, (kernel, args) => args.map((a, i) => wanted(a, kernel, i)))
  return { ...plan, buffers: usedBuffers(buffers, steps), steps }
}

/** Ports, and what steps name, with what that is a view of. */
const usedBuffers = (buffers: ReadonlyMap<string, PlanBuffer>, steps: readonly Step[]): PlanBuffer[] => {
  const used = new Set<string>()
  const use = (name: string): void => {
    used.add(name)
    const parent = buffers.get(name)?.aliasOf
    if (parent !== undefined) use(parent)
  }
  buffersIn(steps).forEach(use)
  return [...buffers.values()].filter(b => (b.kind !== 'constant' && b.kind !== 'scratch') || used.has(b.name))
}

/** Loops count as their limit, or 16 rounds; of two branches, the dearer. */
const predicted = (steps: readonly Step[], costs: ReadonlyMap<string, KernelCost>): number =>
  steps.reduce((ms, s) => {
    switch (s.kind) {
      case 'kernel':
        return ms + (costs.get(s.kernel)?.ms ?? 0)
      case 'copy':
      case 'define':
        return ms
      case 'if':
        return ms + Math.max(predicted(s.then, costs), predicted(s.else, costs))
      case 'loop':
        return (
          ms + predicted(s.body, costs) * (typeof s.limit === 'object' && s.limit.kind === 'const' ? s.limit.value : 16)
        )
    }
  }, 0)
