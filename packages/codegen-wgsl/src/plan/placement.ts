/** @file Where a program's buffers are on the device: constants in the weights file, states, and one buffer for each slot. */
import { type DType, QuernError, bufferAlignment, bytesOf } from '@quern/artifact'
import {
  type ConstantData,
  type Index,
  type Layout,
  type LoweredProgram,
  type Plan,
  type PlanBuffer,
  type StateDecl,
  ix,
  rowMajor,
  statePrefix,
} from '@quern/core-ir'
import { spanOf } from '../kernel/access.ts'
import { packedBits } from '../spelling/types.ts'

/** A constant in the weights file: pack `buffer` by its layout and put its bytes at `at`. */
export interface PlacedConstant {
  readonly buffer: PlanBuffer
  /** Byte offset in the weights file. */
  readonly at: number
  readonly bytes: number
}

export interface PlacedState {
  readonly name: string
  readonly dtype: DType
  readonly shape: readonly number[]
  readonly layout: Layout
  /** Index into the program's state buffers. */
  readonly at: number
  readonly bytes: number
  readonly data: ConstantData | undefined
  /** Byte offset of the initial value in the weights file; undefined where it is zeros. */
  readonly init: number | undefined
}

export interface Placement {
  readonly constants: readonly PlacedConstant[]
  readonly states: readonly PlacedState[]
  readonly weightsBytes: number
  constantOf(buffer: PlanBuffer): PlacedConstant
  stateOf(buffer: PlanBuffer): PlacedState
}

const defect = (message: string): QuernError => new QuernError('internal/plan', message)

/** Narrow elements share words in constants and states; slots hold one a word. */
export const isPacked = (root: PlanBuffer, f16: boolean): boolean =>
  (root.kind === 'constant' || root.kind === 'state') && packedBits(root.dtype, f16) !== undefined

/** Bytes of a buffer on the device, over symbols, before rounding. */
export const deviceBytes = (buffer: PlanBuffer, packed: boolean, f16: boolean): Index => {
  const native = packed || packedBits(buffer.dtype, f16) === undefined
  return ix.mul(spanOf(buffer.layout), native ? bytesOf[buffer.dtype] : 4)
}

const fixed = (x: Index, of: string): number => {
  if (ix.isConst(x)) return x.value
  throw defect(`the size of ${of} is not fixed: ${x.key}`)
}
const align = (bytes: number): number => Math.ceil(bytes / bufferAlignment) * bufferAlignment
const storedBytes = (b: Pick<PlanBuffer, 'name' | 'dtype' | 'layout'>): number =>
  fixed(ix.mul(spanOf(b.layout), bytesOf[b.dtype]), b.name)

export const layoutKey = (l: Layout): string =>
  [l.map, l.shape, l.strides ?? ix.rowMajorStrides(l.shape), [l.offset ?? ix.constant(0)]]
    .map(list => list.map(x => x.key).join(','))
    .join('|')
const dataKey = (data: ConstantData): string =>
  data.kind === 'inline'
    ? `inline ${data.values.map(v => (Object.is(v, -0) ? '-0' : `${v}`)).join(',')}`
    : `bytes ${data.hash} ${data.offset} ${data.length} ${data.source}`
const constantKey = (b: PlanBuffer): string => {
  if (b.data === undefined) throw defect(`constant ${b.name} has no data`)
  return `${b.dtype} ${b.shape.map(e => e.key).join(',')} ${layoutKey(b.layout)} ${dataKey(b.data)}`
}
const stateName = (b: PlanBuffer): string => {
  const name = b.port ?? b.name
  return name.startsWith(statePrefix) ? name.slice(statePrefix.length) : name
}

/** The buffer whose memory a view shares. */
export const rootOf = (plan: Plan, name: string): PlanBuffer => {
  const found = plan.buffers.find(b => b.name === name)
  if (found === undefined) throw defect(`plan ${plan.entry} has no buffer ${name}`)
  return found.aliasOf === undefined ? found : rootOf(plan, found.aliasOf)
}

export const place = (program: LoweredProgram, decls: readonly StateDecl[]): Placement => {
  const roots = program.plans.flatMap(p => p.buffers.filter(b => b.aliasOf === undefined))
  let end = 0
  const take = (bytes: number): number => {
    const at = end
    end += align(bytes)
    return at
  }
  const constants = new Map<string, PlacedConstant>()
  for (const buffer of roots) {
    if (buffer.kind !== 'constant' || constants.has(constantKey(buffer))) continue
    const bytes = storedBytes(buffer)
    constants.set(constantKey(buffer), { buffer, at: take(bytes), bytes })
  }
  const used = new Map(
    decls.map(d => {
      const { dtype, shape } = d.type
      return [d.name, { name: d.name, dtype, shape, layout: rowMajor(shape) }]
    }),
  )
  for (const b of roots) if (b.kind === 'state') used.set(stateName(b), b)
  const states = [...used].map(([name, b], at): PlacedState => {
    const bytes = storedBytes(b)
    const data = decls.find(d => d.name === name)?.init
    const init = data === undefined ? undefined : take(bytes)
    return { name, dtype: b.dtype, shape: b.shape.map(e => fixed(e, name)), layout: b.layout, at, bytes, data, init }
  })
  return {
    constants: [...constants.values()],
    states,
    weightsBytes: end,
    constantOf: buffer => {
      const found = constants.get(constantKey(buffer))
      if (found === undefined) throw defect(`constant ${buffer.name} has no place`)
      return found
    },
    stateOf: buffer => {
      const found = states.find(s => s.name === stateName(buffer))
      if (found === undefined) throw defect(`state ${buffer.name} has no place`)
      return found
    },
  }
}
