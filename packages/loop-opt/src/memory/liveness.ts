/** @file When each buffer of a plan holds something that is still wanted. */
import type { Kernel, Plan, Step } from '@quern/core-ir'
import { inPlacePairs } from './in-place.ts'

/** Positions of steps, first and last included. Inputs start at -1, outputs end after the last step. */
export interface Interval {
  readonly first: number
  readonly last: number
}

export interface Liveness {
  /** Of every buffer that has memory of its own in the arena. */
  readonly intervals: ReadonlyMap<string, Interval>
  /** Buffers a (read for the last time) and b (written for the first time) by one step that may do so in place. */
  readonly inPlace: readonly { readonly from: string; readonly to: string; readonly at: number }[]
  readonly positions: number
}

export const liveness = (plan: Plan, kernels: ReadonlyMap<string, Kernel>, allowInPlace: boolean): Liveness => {
  const buffers = new Map(plan.buffers.map(b => [b.name, b]))
  const rootOf = (name: string): string => {
    const parent = buffers.get(name)?.aliasOf
    return parent === undefined ? name : rootOf(parent)
  }
  const uses = new Map<string, number[]>()
  const loops: Interval[] = []
  const candidates: { from: string; to: string; at: number }[] = []
  let position = 0
  const use = (name: string, at: number): void => {
    const root = rootOf(name)
    uses.set(root, [...(uses.get(root) ?? []), at])
  }
  const walk = (steps: readonly Step[]): void => {
    for (const step of steps) {
      const at = position++
      switch (step.kind) {
        case 'kernel': {
          for (const arg of step.args) use(arg, at)
          const kernel = kernels.get(step.kernel)
          if (kernel === undefined || !allowInPlace) break
          for (const [r, w] of inPlacePairs(kernel)) {
            const from = step.args[r],
              to = step.args[w]
            const shared = (name: string): boolean => step.args.filter(a => rootOf(a) === rootOf(name)).length > 1
            if (from !== undefined && to !== undefined && !shared(from) && !shared(to))
              candidates.push({ from: rootOf(from), to: rootOf(to), at })
          }
          break
        }
        case 'copy':
          use(step.from, at)
          use(step.to, at)
          break
        case 'define':
          use(step.from, at)
          break
        case 'if':
          use(step.condition, at)
          walk(step.then)
          walk(step.else)
          break
        case 'loop': {
          if (typeof step.limit === 'string') use(step.limit, at)
          if (step.condition !== undefined) use(step.condition, at)
          walk(step.body)
          const end = position++
          if (step.condition !== undefined) use(step.condition, end)
          loops.push({ first: at, last: end })
          break
        }
      }
    }
  }
  walk(plan.steps)
  const intervals = new Map<string, Interval>()
  for (const { name, kind, aliasOf } of plan.buffers) {
    if (aliasOf !== undefined || kind === 'constant' || kind === 'state') continue
    const at = uses.get(name) ?? []
    if (kind === 'scratch' && at.length === 0) continue
    intervals.set(name, {
      first: kind === 'input' ? -1 : Math.min(...at, position),
      last: kind === 'output' ? position : Math.max(...at, -1),
    })
  }
  // What crosses the edge of a loop is wanted in every round. Inner loops come first; repeat until nothing grows.
  for (let grew = true; grew;) {
    grew = false
    for (const loop of loops)
      for (const [name, { first, last }] of intervals) {
        const touches = first <= loop.last && last >= loop.first
        const inside = first >= loop.first && last <= loop.last
        if (!touches || inside) continue
        const now = { first: Math.min(first, loop.first), last: Math.max(last, loop.last) }
        if (now.first === first && now.last === last) continue
        intervals.set(name, now)
        grew = true
      }
  }
  const inPlace = candidates.filter(c => intervals.get(c.from)?.last === c.at && intervals.get(c.to)?.first === c.at)
  return { intervals, inPlace, positions: position }
}
