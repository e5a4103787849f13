/** @file Every workload, in the order of the tables. */
import { conv } from './conv.ts'
import { gpt } from './gpt.ts'
import { lstm } from './lstm.ts'
import { matmul } from './matmul.ts'
import { minilm } from './minilm.ts'
import { mlp } from './mlp.ts'
import { mobilenet } from './mobilenet.ts'
import { norms } from './norms.ts'
import { pointwise } from './pointwise.ts'
import type { Workload } from './workload.ts'

export const workloads: readonly Workload[] = [
  ...pointwise,
  ...matmul,
  ...conv,
  ...norms,
  mlp,
  mobilenet,
  minilm,
  gpt,
  lstm,
]

/** A workload is named by its own name, its group, or the beginning of its name. */
export const selected = (only: readonly string[]): readonly Workload[] => {
  const unknown = only.find(o => !workloads.some(w => matches(w, o)))
  if (unknown !== undefined)
    throw new Error(
      `there is no workload ${unknown}: ${[...new Set(workloads.flatMap(w => [w.group, w.name]))].join(', ')}`,
    )
  return only.length === 0 ? workloads : workloads.filter(w => only.some(o => matches(w, o)))
}
const matches = ({ name, group }: Workload, wanted: string): boolean =>
  group === wanted || name === wanted || name.startsWith(`${wanted}-`)
