/** @file States that a kernel can update where they lie: the copy at the end of the run goes. */
import type { Plan, Step } from '@quern/core-ir'
import { mergeParams } from '../lower/merge-params.ts'
import { inPlacePairs } from '../memory/in-place.ts'
import { buffersIn } from './steps.ts'
import type { UnscheduledKernel } from './plan-builder.ts'

/**
 * A state is updated in place by the kernel that computes its next value, if nothing reads the old value afterwards, and
 * the kernel itself reads each old element before it writes the same one.
 */
export const updateStatesInPlace = (plan: Plan, kernels: Map<string, UnscheduledKernel>): Plan =>
  plan.buffers.filter(b => b.kind === 'state').reduce((p, { name }) => updateOne(p, name, kernels), plan)

const updateOne = (plan: Plan, state: string, kernels: Map<string, UnscheduledKernel>): Plan => {
  const buffers = new Map(plan.buffers.map(b => [b.name, b]))
  const rootOf = (name: string): string => {
    const parent = buffers.get(name)?.aliasOf
    return parent === undefined ? name : rootOf(parent)
  }
  const moves = plan.steps.filter(s => s.kind === 'copy' && s.to === state)
  const [move] = moves
  if (move?.kind !== 'copy' || moves.length > 1) return plan
  const next = move.from
  if (buffers.get(next)?.kind !== 'scratch' || rootOf(next) !== next) return plan
  const makerAt = plan.steps.findIndex(s => writes(s, next, kernels))
  const maker = plan.steps[makerAt]
  if (maker?.kind !== 'kernel') return plan
  const others = plan.steps.slice(makerAt + 1).filter(s => s !== move)
  if (buffersIn(others).some(b => rootOf(b) === state)) return plan
  const target = maker.args.indexOf(next)
  const sources = maker.args.flatMap((a, i) => (rootOf(a) === state ? [i] : []))
  const made = kernels.get(maker.kernel)
  if (made === undefined || maker.args.filter(a => rootOf(a) === next).length !== 1 || sources.length > 1) return plan
  const [source] = sources
  let args = maker.args
  if (source !== undefined) {
    const { region } = made
    const allowed = inPlacePairs(region.kernel).some(([r, w]) => r === source && w === target)
    const read = region.kernel.params[source],
      written = region.kernel.params[target]
    if (!allowed || read === undefined || written === undefined) return plan
    kernels.set(maker.kernel, { ...made, region: mergeParams(region, read.name, written.name) })
    args = args.filter((_, i) => i !== source)
  }
  const steps = plan.steps.flatMap((s): Step[] => (s === move ? [] : s === maker ? [{ ...s, args }] : [s]))
  return {
    ...plan,
    steps: renamed(steps, next, state),
    buffers: plan.buffers.filter(b => b.name !== next).map(b => (b.aliasOf === next ? { ...b, aliasOf: state } : b)),
  }
}

const writes = (step: Step, buffer: string, kernels: ReadonlyMap<string, UnscheduledKernel>): boolean => {
  if (step.kind === 'copy') return step.to === buffer
  if (step.kind !== 'kernel') return buffersIn([step]).includes(buffer)
  const params = kernels.get(step.kernel)?.region.kernel.params ?? []
  return step.args.some((a, i) => a === buffer && params[i]?.access !== 'read')
}

const renamed = (steps: readonly Step[], from: string, to: string): Step[] => {
  const name = (b: string): string => (b === from ? to : b)
  return steps.map((s): Step => {
    switch (s.kind) {
      case 'kernel':
        return { ...s, args: s.args.map(name) }
      case 'copy':
        return { ...s, from: name(s.from), to: name(s.to) }
      case 'define':
        return { ...s, from: name(s.from) }
      case 'if':
        return { ...s, condition: name(s.condition), then: renamed(s.then, from, to), else: renamed(s.else, from, to) }
      case 'loop':
        return {
          ...s,
          limit: typeof s.limit === 'string' ? name(s.limit) : s.limit,
          condition: s.condition && name(s.condition),
          body: renamed(s.body, from, to),
        }
    }
  })
}
