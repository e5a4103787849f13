/** @file What happens to kernels after schedules and before code: they are made legal, verified, and shown. */
import {
  type Kernel,
  type Numerics,
  expandKernel,
  printIndex,
  printKernel,
  printPlan,
  verifyKernel,
} from '@quern/core-ir'
import {
  type LoweringResult,
  type TargetInfo,
  contractProducts,
  legalise,
  printSchedules,
  printTime,
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
  // Many kernels are the same for several targets, and then the same object.
  const once = (make: (kernel: Kernel) => Kernel): ((kernel: Kernel) => Kernel) => {
    const known = new Map<Kernel, Kernel>()
    return kernel => {
      const made = known.get(kernel) ?? make(kernel)
      if (!known.has(kernel)) verifyKernel(made)
      known.set(kernel, made)
      return made
    }
  }
  const expanded = {
    native: once(kernel => expandKernel(legalise(kernel), { f16: 'native' })),
    'via-f32': once(kernel => expandKernel(legalise(kernel), { f16: 'via-f32' })),
  }
  const contracted = once(contractProducts)
  // Contraction comes last, so that the polynomials of the expansions are met too.
  const legalOf = (kernel: Kernel, { f16, contracts }: Form): Kernel =>
    contracts ? contracted(expanded[f16](kernel)) : expanded[f16](kernel)
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

/** Everything that `inspect` shows between regions and code. */
export const showLoops = (lowered: LoweringResult, legal: LoweringResult, onStage: CompileOptions['onStage']): void => {
  if (onStage === undefined) return
  const join = (texts: Iterable<string>): string => [...texts].join('\n\n')
  onStage('lowered', join([...lowered.unscheduled.values()].map(u => printKernel(u.region.kernel))))
  onStage('schedule', printSchedules(lowered.traces))
  onStage('loop', join([...lowered.kernels.values()].map(printKernel)))
  onStage('legal', join([...legal.kernels.values()].map(printKernel)))
  onStage('plan', join(lowered.plans.map(printPlan)))
  onStage('memory', join(lowered.plans.map(p => memoryText(p))))
  onStage(
    'cost',
    [
      ...[...lowered.costs].map(
        ([name, c]) =>
          `${name}: ${printIndex(c.operations)} operations, ${printIndex(c.bytes)} bytes, ${printTime(c.time)} ms`,
      ),
      ...[...lowered.predicted].map(([entry, time]) => `a run of ${entry}: ${printTime(time)} ms`),
    ].join('\n'),
  )
}

const memoryText = ({ entry, memory }: LoweringResult['plans'][number]): string =>
  memory === undefined
    ? `${entry}: no memory plan`
    : [
        `${entry}: peak ${printIndex(memory.peak)} bytes, live-set lower bound ${printIndex(memory.lowerBound)} bytes`,
        ...memory.slots.map(
          s => `  ${s.name}: ${printIndex(s.bytes)} bytes at ${printIndex(s.offset)}: ${s.tenants.join(', ')}`,
        ),
      ].join('\n')
