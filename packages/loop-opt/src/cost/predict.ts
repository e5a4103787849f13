/** @file The predicted time of a plan. */
import type { Step } from '@quern/core-ir'
import type { KernelCost } from './kernel-cost.ts'

/** Milliseconds. Loops count as their limit, or 16 rounds; of two branches, the dearer. */
export const predicted = (steps: readonly Step[], costs: ReadonlyMap<string, KernelCost>): number =>
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
