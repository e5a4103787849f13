/** @file The cost model of plans: kernels one after the other, and what a run costs beside them. */
import { type Index, type Plan, type Step, ix } from '@quern/core-ir'
import type { TargetInfo } from '../target/target-info.ts'
import { type KernelCost, roundsByData } from './kernel-cost.ts'
import { type Time, constantTime, longestTime, renamedTime, repeatedTime, sumOfTimes, timeOf } from './time.ts'

/** The time of one run over the dims that callers bind; symbols that data defines stand at their bounds. */
export const predictedTime = (
  plan: Plan,
  costs: ReadonlyMap<string, KernelCost>,
  { elementBytes, speed }: TargetInfo,
): Time => {
  const ports = plan.buffers.filter(b => b.kind === 'input' || b.kind === 'output')
  const moved = ix.add(0, ...ports.map(b => ix.mul(ix.product(b.shape), elementBytes[b.dtype])))
  const all = sumOfTimes(
    timeOf(moved, 1 / (speed.transfer * 1e6)),
    stepsTime(plan.steps, costs),
    constantTime(speed.runMicroseconds / 1e3),
  )
  const bound = (x: Index): Index =>
    ix.mapAtoms(x, a => {
      const upper = a.kind === 'var' ? plan.symbols.find(s => s.name === a.name)?.upper : undefined
      return upper && bound(upper)
    })
  return renamedTime(all, bound)
}

/** Of two branches, the dearer. */
const stepsTime = (steps: readonly Step[], costs: ReadonlyMap<string, KernelCost>): Time =>
  sumOfTimes(
    constantTime(0),
    ...steps.map((s): Time => {
      switch (s.kind) {
        case 'kernel':
          return costs.get(s.kernel)?.time ?? constantTime(0)
        case 'copy':
        case 'define':
          return constantTime(0)
        case 'if':
          return longestTime(stepsTime(s.then, costs), stepsTime(s.else, costs))
        case 'loop': {
          const rounds = typeof s.limit === 'object' ? s.limit : ix.constant(roundsByData)
          // What grows with the round counts as if every round were the last.
          const body = renamedTime(stepsTime(s.body, costs), x =>
            ix.mapAtoms(x, a => (a.kind === 'var' && a.name === s.counter ? rounds : undefined)),
          )
          return repeatedTime(body, rounds)
        }
      }
    }),
  )
