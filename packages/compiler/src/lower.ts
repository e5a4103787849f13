/** @file The loop half of the pipeline: regions to scheduled, legal kernels and plans. */
import {
  type Kernel,
  type ProgramGraph,
  expandKernel,
  ix,
  printIndex,
  printKernel,
  printPlan,
  verifyKernel,
} from '@quern/core-ir'
import { type LoweringResult, type TargetInfo, legalise, lowerProgram, printTrace } from '@quern/loop-opt'
import { type CompileOptions, numericsOf } from './options.ts'

/** @returns kernels ready for code, beside everything that `inspect` shows */
export const lower = (program: ProgramGraph, target: TargetInfo, options: CompileOptions): LoweringResult => {
  const lowered = lowerProgram(program, target, { numerics: numericsOf(options) })
  const kernels = new Map<string, Kernel>()
  for (const [name, kernel] of lowered.kernels) {
    const legal = expandKernel(legalise(kernel), { f16: target.features.f16 ? 'native' : 'via-f32' })
    verifyKernel(legal)
    kernels.set(name, legal)
  }
  if (options.onStage !== undefined) {
    const join = (texts: Iterable<string>): string => [...texts].join('\n\n')
    options.onStage('lowered', join([...lowered.unscheduled.values()].map(u => printKernel(u.region.kernel))))
    options.onStage('schedule', join([...lowered.traces].map(([name, trace]) => `${name}:\n${printTrace(trace)}`)))
    options.onStage('loop', join([...lowered.kernels.values()].map(printKernel)))
    options.onStage('legal', join([...kernels.values()].map(printKernel)))
    options.onStage('plan', join(lowered.plans.map(printPlan)))
    options.onStage('memory', join(lowered.plans.map(p => memoryText(p))))
    options.onStage(
      'cost',
      [...lowered.costs]
        .map(
          ([name, c]) =>
            `${name}: ${JSON.stringify(c, (_, v: unknown) => (typeof v === 'object' && v !== null && 'key' in v ? printIndex(v as ix.Index) : v))}`,
        )
        .join('\n'),
    )
  }
  return { ...lowered, kernels }
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
