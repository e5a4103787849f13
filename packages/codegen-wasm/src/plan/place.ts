/** @file Where everything lives in the one memory: header, constants, states, arena. */
import { type DType, bufferAlignment, bytesOf, wasmHeader } from '@quern/artifact'
import {
  type ConstantData,
  type Index,
  type Layout,
  type LoweredProgram,
  type PlanBuffer,
  type StateDecl,
  ix,
} from '@quern/core-ir'
import { defect } from '../defect.ts'

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
  /** Byte address. */
  readonly at: number
  readonly bytes: number
  readonly data: ConstantData | undefined
  /** Byte offset of the initial value in the weights file; undefined where it is zeros. */
  readonly init: number | undefined
}
export interface Placement {
  /** Byte address of each symbol's header word. */
  readonly symbols: ReadonlyMap<string, number>
  readonly constantsAt: number
  readonly statesAt: number
  readonly arenaAt: number
  readonly constants: readonly PlacedConstant[]
  readonly states: readonly PlacedState[]
  /** Bytes of the weights file: constants, then initial values of states. */
  readonly weightsBytes: number
  /** Byte address of a constant or a state. */
  fixed(buffer: PlanBuffer): number
}

const aligned = (n: number): number => Math.ceil(n / bufferAlignment) * bufferAlignment

/** Bytes that a buffer spans, over symbols. */
export const bytesOfBuffer = (b: Pick<PlanBuffer, 'dtype' | 'layout'>): Index => {
  const { shape, strides, offset } = b.layout
  const elements =
    strides === undefined ? ix.product(shape) : ix.add(1, ...shape.map((e, d) => ix.mul(ix.sub(e, 1), strides[d] ?? 1)))
  return ix.mul(ix.add(offset ?? 0, elements), bytesOf[b.dtype])
}
const fixedBytes = (b: Pick<PlanBuffer, 'name' | 'dtype' | 'layout'>): number => {
  const bytes = bytesOfBuffer(b)
  if (!ix.isConst(bytes)) throw defect(`the size of ${b.name} is not fixed`)
  return bytes.value
}

const layoutKey = (l: Layout): string =>
  [l.map, l.shape, l.strides ?? [], [l.offset ?? ix.constant(0)]].map(list => list.map(x => x.key).join(',')).join('|')
const dataKey = (data: ConstantData): string =>
  data.kind === 'inline'
    ? `inline ${data.values.map(v => (Object.is(v, -0) ? '-0' : `${v}`)).join(',')}`
    : `bytes ${data.hash} ${data.offset} ${data.length} ${data.source}`
const constantKey = (b: PlanBuffer): string => {
  if (b.data === undefined) throw defect(`constant ${b.name} has no data`)
  return `${b.dtype} ${b.shape.map(e => e.key).join(',')} ${layoutKey(b.layout)} ${dataKey(b.data)}`
}

export const place = (program: LoweredProgram, decls: readonly StateDecl[]): Placement => {
  const symbols = new Map<string, number>()
  for (const plan of program.plans)
    for (const s of plan.symbols) if (!symbols.has(s.name)) symbols.set(s.name, wasmHeader.symbols + 4 * symbols.size)
  const constantsAt = aligned(wasmHeader.symbols + 4 * symbols.size)
  let end = constantsAt
  const take = (bytes: number): number => {
    const at = end
    end += aligned(bytes)
    return at
  }

  const buffers = program.plans.flatMap(p => p.buffers)
  const constants = new Map<string, PlacedConstant>()
  for (const b of buffers) {
    if (b.kind !== 'constant' || b.aliasOf !== undefined || constants.has(constantKey(b))) continue
    const bytes = fixedBytes(b)
    constants.set(constantKey(b), { buffer: b, at: take(bytes) - constantsAt, bytes })
  }

  const statesAt = end
  const used = new Map<string, PlanBuffer>()
  for (const b of buffers) if (b.kind === 'state' && b.aliasOf === undefined) used.set(stateName(b), b)
  for (const d of decls)
    if (!used.has(d.name))
      used.set(d.name, {
        name: d.name,
        kind: 'state',
        dtype: d.type.dtype,
        shape: d.type.shape,
        layout: { map: [], shape: d.type.shape },
        port: d.name,
      })
  const initOf = (name: string): ConstantData | undefined => decls.find(d => d.name === name)?.init
  // Those with initial values come first, so that the weights file, copied to one place, sets them too.
  const ordered = [...used].sort(([a], [b]) => Number(initOf(b) !== undefined) - Number(initOf(a) !== undefined))
  let weightsEnd = statesAt
  const states = ordered.map(([name, b]): PlacedState => {
    const bytes = fixedBytes(b)
    const at = take(bytes)
    const data = initOf(name)
    if (data !== undefined) weightsEnd = end
    const shape = b.shape.map(e => (ix.isConst(e) ? e.value : fail(name)))
    return {
      name,
      dtype: b.dtype,
      shape,
      layout: b.layout,
      at,
      bytes,
      data,
      init: data === undefined ? undefined : at - constantsAt,
    }
  })

  const stateAt = new Map(states.map(s => [s.name, s.at]))
  return {
    symbols,
    constantsAt,
    statesAt,
    arenaAt: end,
    constants: [...constants.values()],
    states,
    weightsBytes: weightsEnd - constantsAt,
    fixed: b => {
      const at = b.kind === 'state' ? stateAt.get(stateName(b)) : constants.get(constantKey(b))?.at
      if (at === undefined) throw defect(`${b.name} has no place`)
      return b.kind === 'state' ? at : at + constantsAt
    },
  }
}
const stateName = (b: PlanBuffer): string => (b.port ?? b.name).replace(/^state:/, '')
const fail = (name: string): never => {
  throw defect(`the shape of state ${name} is not fixed`)
}
