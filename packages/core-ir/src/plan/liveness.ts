/** @file When the memory of each buffer of a plan is in use: from its first write to its last read, in the order of steps. */
import type { Kernel } from '../loop/kernel.ts'
import type { Plan, PlanBuffer, Step } from './plan.ts'

/** Positions of steps in order of the text, first and last included; a loop has one at its end too. */
export interface Interval {
  readonly from: number
  readonly to: number
}

/** The buffer whose memory this one shares. Throws on a missing or circular alias. */
export const rootOf = (buffers: ReadonlyMap<string, PlanBuffer>, name: string): string => {
  let at = name
  for (let i = 0; i <= buffers.size; i++) {
    const next = buffers.get(at)?.aliasOf
    if (next === undefined) return at
    at = next
  }
  throw new RangeError(`the alias of ${name} leads back to itself`)
}

/** What a step itself reads and writes. */
export const accessesOf = (
  step: Step,
  kernels: ReadonlyMap<string, Kernel>,
): { readonly reads: readonly string[]; readonly writes: readonly string[] } => {
  switch (step.kind) {
    case 'kernel': {
      const params = kernels.get(step.kernel)?.params ?? []
      const having = (access: string): string[] =>
        step.args.filter((_, i) => params[i]?.access === access || params[i]?.access === 'read_write')
      return { reads: having('read'), writes: having('write') }
    }
    case 'copy':
      return { reads: [step.from], writes: [step.to] }
    case 'define':
      return { reads: [step.from], writes: [] }
    case 'if':
      return { reads: [step.condition], writes: [] }
    case 'loop':
      return {
        reads: [step.condition, typeof step.limit === 'string' ? step.limit : undefined].filter(x => x !== undefined),
        writes: [],
      }
  }
}

/**
 * The interval of each root buffer that steps touch. Inputs, constants and states live from before the start; outputs,
 * constants and states to the end; what crosses the edge of a loop is wanted in every trip.
 */
export const usesOf = (plan: Plan, kernels: ReadonlyMap<string, Kernel>): ReadonlyMap<string, Interval> => {
  const buffers = new Map(plan.buffers.map(b => [b.name, b]))
  const live = new Map<string, Interval>()
  const loops: Interval[] = []
  let position = 0
  const touch = (name: string, at: number): void => {
    const root = rootOf(buffers, name)
    const { from, to } = live.get(root) ?? { from: at, to: at }
    live.set(root, { from: Math.min(from, at), to: Math.max(to, at) })
  }
  const walk = (steps: readonly Step[]): void => {
    for (const step of steps) {
      const at = position++
      const { reads, writes } = accessesOf(step, kernels)
      for (const name of [...reads, ...writes]) touch(name, at)
      if (step.kind === 'if') {
        walk(step.then)
        walk(step.else)
      }
      if (step.kind !== 'loop') continue
      walk(step.body)
      const end = position++
      // The condition is read again after each trip; a limit is read once.
      if (step.condition !== undefined) touch(step.condition, end)
      loops.push({ from: at, to: end })
    }
  }
  walk(plan.steps)
  for (const { name, kind } of plan.buffers) {
    if (kind === 'input' || kind === 'constant' || kind === 'state') touch(name, -1)
    if (kind === 'output' || kind === 'constant' || kind === 'state') touch(name, position)
  }
  for (let grew = true; grew;) {
    grew = false
    for (const loop of loops)
      for (const [name, { from, to }] of live) {
        const crosses = from <= loop.to && to >= loop.from && (from < loop.from || to > loop.to)
        if (!crosses || (from <= loop.from && to >= loop.to)) continue
        live.set(name, { from: Math.min(from, loop.from), to: Math.max(to, loop.to) })
        grew = true
      }
  }
  return live
}
