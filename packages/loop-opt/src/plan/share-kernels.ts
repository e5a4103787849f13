/** @file One kernel for steps that do the same: blocks of a network that repeat are one function. */
import { type Plan, printKernel } from '@quern/core-ir'
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
    const { kernel, stages } = made.region
    const flags = kernel.params.map(p => (constants.get(name)?.has(p.name) === true ? 'c' : '-')).join('')
    const text = printKernel({ ...kernel, name: 'kernel', origins: [] })
    const roles = stages.map(s => `${s.role} ${s.buffer} ${s.spatial.join()} ${s.reduce.join()}`).join(';')
    const symbols = new Set(kernel.symbols.map(s => s.name))
    const meaning = `${made.kind} ${flags} ${renamed(`${text}\n${roles}`, symbols)}`
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

/** Words of the loop language's text, which mean the same everywhere. */
const fixed =
  /^(kernel|read|write|read_write|alloc|register|shared|private|for|store|accumulate|let|if|else|barrier|fail|at|value|and|or|not|nan|inf|[fiu](8|16|32|64)|bool)$/

/** Names in the order in which they first stand, so that only structure is left. */
const renamed = (text: string, symbols: ReadonlySet<string>): string => {
  const names = new Map<string, string>()
  return text.replace(/[A-Za-z_]\w*(?=(\(?))/g, (word, bracket: string) => {
    if (bracket === '(' || fixed.test(word) || symbols.has(word)) return word
    const known = names.get(word)
    if (known !== undefined) return known
    names.set(word, `v${names.size}`)
    return `v${names.size - 1}`
  })
}
