/** @file One kernel for steps that do the same: blocks of a network that repeat are one function. */
import { type Kernel, type Plan, ix, printKernel } from '@quern/core-ir'
import { rewriteStmts, visitStmts } from '../schedule/tree.ts'
import type { UnscheduledKernel } from './plan-builder.ts'
import { mapKernels } from './steps.ts'

export interface Shared {
  readonly plans: readonly Plan[]
  readonly kernels: ReadonlyMap<string, UnscheduledKernel>
}

/** @param constants params of a kernel that always get constants: where they differ, so may the layouts */
export const shareKernels = (
  plans: readonly Plan[],
  kernels: ReadonlyMap<string, UnscheduledKernel>,
  constants: ReadonlyMap<string, ReadonlySet<string>>,
): Shared => {
  const kept = new Map<string, UnscheduledKernel>()
  const byMeaning = new Map<string, string>()
  const nameOf = new Map<string, string>()
  for (const [name, made] of kernels) {
    const flags = made.region.kernel.params.map(p => (constants.get(name)?.has(p.name) === true ? 'c' : '-')).join('')
    const meaning = `${made.kind} ${flags} ${meaningOf(made)}`
    const same = byMeaning.get(meaning)
    nameOf.set(name, same ?? name)
    if (same !== undefined) continue
    byMeaning.set(meaning, name)
    kept.set(name, made)
  }
  return {
    kernels: kept,
    plans: plans.map(plan => ({
      ...plan,
      steps: mapKernels(
        plan.steps,
        (_, args) => args,
        k => nameOf.get(k) ?? k,
      ),
    })),
  }
}

/**
 * The text of a kernel under names that say only which binder they are, so that what is equal but for names has one text. By
 * structure: a name may be any word, also one that means something else in the text (a reducer, a dtype, a literal).
 */
const meaningOf = ({ region: { kernel, stages } }: UnscheduledKernel): string => {
  const names = new Map<string, string>()
  const bind = (name: string): void => {
    if (!names.has(name)) names.set(name, `v${names.size}'`)
  }
  kernel.params.forEach(p => bind(p.name))
  visitStmts(kernel.body, s => {
    if (s.kind === 'for') bind(s.axis)
    if (s.kind === 'alloc') bind(s.buffer.name)
    if (s.kind === 'let') bind(s.name)
  })
  const rename = (name: string): string => names.get(name) ?? name
  const renamed: Kernel = {
    ...kernel,
    name: 'kernel',
    origins: [],
    params: kernel.params.map(p => ({ ...p, name: rename(p.name) })),
    body: rewriteStmts(kernel.body, {
      binder: rename,
      variable: name => {
        const other = names.get(name)
        return other === undefined ? undefined : ix.variable(other)
      },
      access: (buffer, indices) => ({ buffer: rename(buffer), indices }),
    }),
  }
  const roles = stages.map(s => [s.role, rename(s.buffer), s.spatial.map(rename), s.reduce.map(rename)])
  return `${printKernel(renamed)}\n${JSON.stringify(roles)}`
}
