/** @file Which params get constants, and the layouts in which kernels want them. */
import type { Kernel, Plan, PlanBuffer, Step } from '@quern/core-ir'
import type { Schedule } from '../schedule/schedule.ts'
import type { UnscheduledKernel } from './plan-builder.ts'
import { buffersIn, mapKernels } from './steps.ts'

/** The params of each kernel that get a constant wherever the kernel is called. */
export const constantParams = (
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
export const withLayouts = (
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
