/** @file Copies that go: the kernel that computes what is copied writes it where it belongs. */
import { type Plan, type PlanBuffer, type Step, spanOf } from '@quern/core-ir'
import { mergeParams } from '../lower/merge-params.ts'
import { inPlacePairs } from '../memory/in-place.ts'
import { blocksIn, buffersIn, replaceBlock } from './steps.ts'
import type { UnscheduledKernel } from './plan-builder.ts'

/**
 * A state's next value at the end of a run, and a carried value's at the end of a round, are made elsewhere and copied, since
 * what is computed in between may read the old one. Where nothing does, the kernel that makes it writes into the state or the
 * carried value itself, even while it reads the old one: if it reads each element before it writes the same one.
 */
export const removeCopies = (plan: Plan, kernels: Map<string, UnscheduledKernel>): Plan => {
  for (const block of blocksIn(plan.steps))
    for (const step of block) {
      const without = step.kind === 'copy' ? removeOne(plan, block, step, kernels) : undefined
      if (without !== undefined) return removeCopies(without, kernels)
    }
  return plan
}

type Copy = Extract<Step, { kind: 'copy' }>

const removeOne = (
  plan: Plan,
  block: readonly Step[],
  copy: Copy,
  kernels: Map<string, UnscheduledKernel>,
): Plan | undefined => {
  const { from, to } = copy
  const buffers = new Map(plan.buffers.map(b => [b.name, b]))
  const rootOf = (name: string): string => {
    const parent = buffers.get(name)?.aliasOf
    return parent === undefined ? name : rootOf(parent)
  }
  const uses = (steps: readonly Step[], root: string): number => buffersIn(steps).filter(b => rootOf(b) === root).length
  const [source, target] = [buffers.get(from), buffers.get(to)]
  if (
    source?.kind !== 'scratch' ||
    target === undefined ||
    source.aliasOf !== undefined ||
    target.aliasOf !== undefined
  )
    return undefined
  if (!sameElements(source, target)) return undefined

  const copyAt = block.indexOf(copy),
    makerAt = block.findIndex(s => writes(s, from, kernels))
  const maker = block[makerAt]
  if (maker?.kind !== 'kernel' || makerAt > copyAt) return undefined
  // What this block did not make, or what is looked at before it is made, has a life beyond the copy.
  if (uses(block, from) !== uses(plan.steps, from) || uses(block.slice(0, makerAt), from) > 0) return undefined
  const [between, after] = [block.slice(makerAt + 1, copyAt), block.slice(copyAt + 1)]
  if (uses(between, to) > 0 || (uses(after, from) > 0 && uses(after, to) > 0)) return undefined

  const written = maker.args.indexOf(from)
  const old = maker.args.flatMap((a, i) => (rootOf(a) === to ? [i] : []))
  const made = kernels.get(maker.kernel)
  if (made === undefined || uses([maker], from) !== 1 || old.length > 1) return undefined
  const [read] = old
  if (read !== undefined) {
    const { region } = made
    const [before, next] = [region.kernel.params[read], region.kernel.params[written]]
    const allowed = inPlacePairs(region.kernel).some(([r, w]) => r === read && w === written)
    if (!allowed || before === undefined || next === undefined) return undefined
    kernels.set(maker.kernel, { ...made, region: mergeParams(region, before.name, next.name) })
  }
  const args = maker.args.filter((_, i) => i !== read)
  const shorter = block.flatMap((s): Step[] => (s === copy ? [] : s === maker ? [{ ...maker, args }] : [s]))
  return {
    ...plan,
    steps: renamed(replaceBlock(plan.steps, block, shorter), from, to),
    buffers: plan.buffers.filter(b => b.name !== from).map(b => (b.aliasOf === from ? { ...b, aliasOf: to } : b)),
  }
}

/** Whether a copy between two buffers moves no element relative to another: the same bytes in the same order. */
const sameElements = (a: PlanBuffer, b: PlanBuffer): boolean =>
  a.dtype === b.dtype &&
  spanOf(a.layout).key === spanOf(b.layout).key &&
  [a, b].every(({ layout }) => layout.strides === undefined && layout.offset === undefined)

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
