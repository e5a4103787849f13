/**
 * @file Refuses a program that needs more memory than there is, at every size of its dims. One that needs it at large sizes
 * only is legal: the runtime says so when such a size comes.
 */
import { type DeviceKind, QuernError, bytesOf } from '@quern/artifact'
import {
  type Graph,
  type Index,
  type Plan,
  type PlanBuffer,
  type ProgramGraph,
  type Value,
  ix,
  printTensorType,
  rangeOf,
  symbolRanges,
} from '@quern/core-ir'
import type { LoweringResult } from '@quern/loop-opt'
import type { CompileOptions } from './options.ts'

const gibi = 2 ** 30
/** Addresses and subscripts are 32 bits wide, in a WebAssembly memory and in a buffer of a shader. */
export const defaultMaxMemory = 4 * gibi

const inGibi = (bytes: number): string => `${Number((bytes / gibi).toPrecision(3))} GiB`

export const refuseMemory = (
  target: DeviceKind,
  { name, entries }: ProgramGraph,
  { plans }: Pick<LoweringResult, 'plans'>,
  { maxMemory }: Pick<CompileOptions, 'maxMemory'>,
): void => {
  const needs = plans.map(plan => {
    const kept = plan.buffers.filter(b => b.kind === 'constant' || b.kind === 'state')
    return leastOf(plan.memory?.peak ?? ix.constant(0), plan) + kept.reduce((n, b) => n + bytesAtLeast(b, plan), 0)
  })
  const bytes = Math.max(0, ...needs)
  const most = target === 'wasm' ? Math.min(maxMemory ?? Infinity, defaultMaxMemory) : (maxMemory ?? defaultMaxMemory)
  if (bytes <= most) return
  const plan = plans[needs.indexOf(bytes)]
  const largest = plan === undefined ? undefined : largestOf(plan)
  const value = largest && valueLike(largest, entries.get(plan?.entry ?? ''))
  const details = {
    bytes,
    maxMemory: most,
    target,
    origin: value?.origin,
    operands: largest && [{ role: 'largest', type: printTensorType(largest), name: value?.name ?? largest.port }],
  }
  const says = `${name} needs at least ${inGibi(bytes)} of memory on ${target}, ${inGibi(plan && largest ? bytesAtLeast(largest, plan) : 0)} of it for ${largest && printTensorType(largest)}`
  if (maxMemory !== undefined && bytes > maxMemory)
    throw new QuernError(
      'model/over-max-memory',
      `${says}, and its limit maxMemory is ${inGibi(maxMemory)}: raise it, or make the value smaller`,
      details,
    )
  if (target === 'wasm')
    throw new QuernError(
      'wasm/needs-more-memory',
      `${says}, and a WebAssembly memory ends at 4 GiB, which no option raises: make the value smaller, work on parts, or compile for webgpu alone with a larger maxMemory`,
      details,
    )
  throw new QuernError(
    'webgpu/needs-more-memory',
    `${says}, and the limit maxMemory is ${inGibi(most)} by default: raise it for devices that have more, or make the value smaller`,
    details,
  )
}

/** The least that a size may be; what cannot be told counts as nothing. */
const leastOf = (size: Index, { symbols }: Plan): number => {
  const { min } = rangeOf(size, symbolRanges(new Map(symbols.map(s => [s.name, s]))))
  return Number.isFinite(min) ? Math.max(0, min) : 0
}

const bytesAtLeast = ({ aliasOf, dtype, shape }: PlanBuffer, plan: Plan): number =>
  aliasOf === undefined ? leastOf(ix.product(shape), plan) * bytesOf[dtype] : 0

const largestOf = (plan: Plan): PlanBuffer | undefined =>
  plan.buffers.reduce<PlanBuffer | undefined>(
    (best, b) => (best === undefined || bytesAtLeast(b, plan) > bytesAtLeast(best, plan) ? b : best),
    undefined,
  )

/** Where the author wrote a value of that type: the line that makes it, or else one that uses it. */
const valueLike = (buffer: PlanBuffer, graph: Graph | undefined) => {
  const like = (v: Value | undefined): v is Value =>
    v !== undefined && printTensorType(v.type) === printTensorType(buffer)
  for (const node of graph?.nodes ?? []) {
    const made = node.results.find(like)
    if (made !== undefined) return { origin: node.origin, name: made.name ?? node.origin?.name }
  }
  for (const node of graph?.nodes ?? []) {
    const used = node.operands.find(like)
    if (used !== undefined) return { origin: node.origin, name: used.name }
  }
  return undefined
}
