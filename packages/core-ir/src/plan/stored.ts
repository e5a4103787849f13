/** @file What a program keeps beside its arena: its distinct constants, placed in the weights file, and its states. */
import { type DType, QuernError, bufferAlignment, bytesOf } from '@quern/artifact'
import { type ConstantData, type StateDecl, statePrefix } from '../graph/graph.ts'
import { type Index, constant, isConst, mul, rowMajorStrides } from '../index/index-expr.ts'
import { type Layout, rowMajor, spanOf } from '../layout/layout.ts'
import type { LoweredProgram, PlanBuffer } from './plan.ts'

/** A constant in the weights file: pack `buffer` by its layout and put its bytes at `at`. */
export interface PlacedConstant {
  readonly buffer: PlanBuffer
  /** Byte offset in the weights file. */
  readonly at: number
  readonly bytes: number
}

export interface StoredState {
  readonly name: string
  readonly dtype: DType
  readonly shape: readonly number[]
  readonly layout: Layout
  readonly bytes: number
  readonly data: ConstantData | undefined
}
/** A state where a target keeps it. */
export interface PlacedState extends StoredState {
  /** A byte address on wasm, an index into the state buffers on WebGPU. */
  readonly at: number
  /** Byte offset of the initial value in the weights file; undefined where it is zeros. */
  readonly init: number | undefined
}

export interface Stored {
  readonly constants: readonly PlacedConstant[]
  /** Bytes of the constants in the weights file. */
  readonly constantBytes: number
  /** Those that plans use, in their layouts there, and those that no plan uses. */
  readonly states: readonly StoredState[]
  constantOf(buffer: PlanBuffer): PlacedConstant
  /** The name of the state that a buffer is. */
  stateNameOf(buffer: PlanBuffer): string
}

const defect = (message: string): QuernError => new QuernError('internal/plan', message)

export const alignBytes = (bytes: number): number => Math.ceil(bytes / bufferAlignment) * bufferAlignment

/** Equal for layouts that put elements in the same places. */
export const layoutKey = (l: Layout): string =>
  [l.map, l.shape, l.strides ?? rowMajorStrides(l.shape), [l.offset ?? constant(0)]]
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

/** Bytes that a buffer spans, over symbols. */
export const bytesOfBuffer = (b: Pick<PlanBuffer, 'dtype' | 'layout'>): Index => mul(spanOf(b.layout), bytesOf[b.dtype])

const fixed = (x: Index, of: string): number => {
  if (isConst(x)) return x.value
  throw defect(`the size of ${of} is not fixed: ${x.key}`)
}

const stateNameOf = (b: PlanBuffer): string => {
  const name = b.port ?? b.name
  return name.startsWith(statePrefix) ? name.slice(statePrefix.length) : name
}

export const storedOf = (program: LoweredProgram, decls: readonly StateDecl[]): Stored => {
  const roots = program.plans.flatMap(p => p.buffers.filter(b => b.aliasOf === undefined))
  const constants = new Map<string, PlacedConstant>()
  let end = 0
  for (const buffer of roots) {
    if (buffer.kind !== 'constant' || constants.has(constantKey(buffer))) continue
    const bytes = fixed(bytesOfBuffer(buffer), buffer.name)
    constants.set(constantKey(buffer), { buffer, at: end, bytes })
    end += alignBytes(bytes)
  }
  const used = new Map<string, Pick<PlanBuffer, 'name' | 'dtype' | 'shape' | 'layout'>>()
  for (const b of roots) if (b.kind === 'state') used.set(stateNameOf(b), b)
  for (const { name, type } of decls)
    if (!used.has(name)) used.set(name, { name, ...type, layout: rowMajor(type.shape) })
  const states = [...used].map(([name, b]): StoredState => ({
    name,
    dtype: b.dtype,
    shape: b.shape.map(e => fixed(e, name)),
    layout: b.layout,
    bytes: fixed(bytesOfBuffer(b), name),
    data: decls.find(d => d.name === name)?.init,
  }))
  return {
    constants: [...constants.values()],
    constantBytes: end,
    states,
    constantOf: buffer => {
      const found = constants.get(constantKey(buffer))
      if (found === undefined) throw defect(`constant ${buffer.name} has no place`)
      return found
    },
    stateNameOf,
  }
}
