/** @file What happens to kernels after schedules and before code: they are made legal, verified, and shown. */
import { type Kernel, type Numerics, expandKernel, ix, printKernel, printPlan, verifyKernel } from '@quern/core-ir'
import {
  type LoweringResult,
  type TargetInfo,
  contractProducts,
  legalise,
  costText,
  memoryText,
  printSchedules,
  stepByStep,
} from '@quern/loop-opt'
import type { CompileOptions } from './options.ts'

/** What legal code depends on beside the kernel. */
interface Form {
  readonly f16: 'native' | 'via-f32'
  /** Whether products that are added at once become multiply-adds. */
  readonly contracts: boolean
}

/** @returns for each target the same program with kernels ready for code */
export const legalKernels = (
  variants: readonly LoweringResult[],
  targets: readonly TargetInfo[],
  numerics: Numerics,
): readonly LoweringResult[] => {
  // Many kernels are the same for several targets, and then the same object, or the same but for the loops that a team shares.
  const once = (make: (kernel: Kernel) => Kernel): ((kernel: Kernel) => Kernel) => {
    const known = new Map<Kernel, Kernel>()
    return kernel => {
      const before = known.get(kernel)
      if (before !== undefined) return before
      const made = sharedAlike(kernel, known) ?? make(kernel)
      verifyKernel(made)
      known.set(kernel, made)
      return made
    }
  }
  const expanded = {
    native: once(kernel => expandKernel(legalise(kernel), { f16: 'native' })),
    'via-f32': once(kernel => expandKernel(legalise(kernel), { f16: 'via-f32' })),
  }
  const contracted = once(contractProducts),
    stepped = once(stepByStep)
  // Contraction comes after expansion, so that polynomials are met too; then nothing is left that needs whole expressions.
  const legalOf = (kernel: Kernel, { f16, contracts }: Form): Kernel =>
    stepped(contracts ? contracted(expanded[f16](kernel)) : expanded[f16](kernel))
  return variants.map((lowered, i) => {
    const features = targets[i]?.features
    const form: Form = {
      f16: features?.f16 === true ? 'native' : 'via-f32',
      contracts: features?.relaxedSimd === true && numerics !== 'exact',
    }
    const kernels = new Map([...lowered.kernels].map(([name, kernel]) => [name, legalOf(kernel, form)]))
    return { ...lowered, kernels }
  })
}

/** What a known kernel became, with loops shared by a team where `kernel` has them: undefined where they differ in more. */
const sharedAlike = (kernel: Kernel, known: ReadonlyMap<Kernel, Kernel>): Kernel | undefined => {
  const shared = new Set(kernel.body.flatMap(s => (s.kind === 'for' && s.tag === 'parallel' ? [s.axis] : [])))
  if (shared.size === 0) return undefined
  for (const [twin, made] of known) {
    const alike =
      twin.params === kernel.params &&
      twin.body.length === kernel.body.length &&
      twin.body.every((s, i) => {
        const own = kernel.body[i]
        return (
          s === own ||
          (s.kind === 'for' &&
            own?.kind === 'for' &&
            s.axis === own.axis &&
            s.body === own.body &&
            ix.sameIndex(s.extent, own.extent))
        )
      })
    if (!alike) continue
    const loops = made.body.flatMap(s => (s.kind === 'for' && s.tag === 'serial' ? [s.axis] : []))
    if (![...shared].every(axis => loops.includes(axis))) return undefined
    const body = made.body.map(s => (s.kind === 'for' && shared.has(s.axis) ? { ...s, tag: 'parallel' as const } : s))
    return { ...made, body }
  }
  return undefined
}

/** Everything that `inspect` shows between regions and code. */
export const showLoops = (
  lowered: LoweringResult,
  legal: LoweringResult,
  target: TargetInfo,
  { onStage, showAt: { dims, threads } = {} }: Pick<CompileOptions, 'onStage' | 'showAt'>,
): void => {
  if (onStage === undefined) return
  const join = (texts: Iterable<string>): string => [...texts].join('\n\n')
  onStage('lowered', join([...lowered.unscheduled.values()].map(u => printKernel(u.region.kernel))))
  onStage('schedule', printSchedules(lowered.traces))
  onStage('loop', join([...lowered.kernels.values()].map(printKernel)))
  onStage('legal', join([...legal.kernels.values()].map(printKernel)))
  onStage('plan', join(lowered.plans.map(printPlan)))
  onStage('memory', join(lowered.plans.map(p => memoryText(p, dims))))
  onStage('cost', costText(lowered, target, dims ?? {}, threads))
}
