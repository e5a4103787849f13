/** @file Where the elements of a buffer are in WGSL, and how one element or four are read and written there. */
import type { DType } from '@quern/artifact'
import { type BufferDecl, type Index, ix } from '@quern/core-ir'
import { spellBitcast } from '../spelling/cast.ts'
import { type Held, type Lanes, components, storedAs, typeName } from '../spelling/types.ts'
import { isAligned } from './access.ts'
import { type Context, type Value, bare, bind, heldIn } from './context.ts'
import { type LaneStep, indexCode, laneOf, settle } from './index-code.ts'

export type Place =
  /** A binding. `element` is what the array holds: another type of the same width where two params share the binding. */
  | {
      readonly kind: 'storage'
      readonly name: string
      readonly element: Exclude<Held, 'bool'>
      readonly vec4: boolean
    }
  /** A binding whose words hold several elements; atomic where it is written, since invocations share words. */
  | { readonly kind: 'packed'; readonly name: string; readonly bits: 8 | 16; readonly atomic: boolean }
  /** An array in workgroup or function memory. */
  | { readonly kind: 'array'; readonly name: string; readonly vec4: boolean; readonly length: number }
  /** Registers of which each lane of a vector axis has its own: a vector for each element, in variables or an array. */
  | {
      readonly kind: 'owned'
      readonly names: readonly string[]
      readonly array: boolean
      readonly length: number
      readonly axis: string
      readonly lanes: Lanes
    }
  /** One variable for each element, or for each four. */
  | { readonly kind: 'variables'; readonly names: readonly string[]; readonly vec4: boolean }

export interface Memory {
  readonly decl: BufferDecl
  readonly place: Place
  /** Seen by other invocations. */
  readonly shared: boolean
  readonly register: boolean
}

/** A value in the type that storage holds. */
const toStored = (value: Value, element: Exclude<Held, 'bool'>): string => {
  const own = storedAs(value.held)
  const raw =
    value.held === 'bool'
      ? `select(${typeName('u32', value.lanes)}(0u), ${typeName('u32', value.lanes)}(1u), ${value.code})`
      : value.code
  return own === element ? raw : `bitcast<${typeName(element, value.lanes)}>(${raw})`
}
const fromStored = (code: string, element: Exclude<Held, 'bool'>, held: Held, lanes: Lanes): string => {
  const own = storedAs(held)
  const raw = own === element ? code : `bitcast<${typeName(own, lanes)}>(${code})`
  return held === 'bool' ? `(${raw} != ${typeName('u32', lanes)}(0u))` : raw
}

const valueOf = (context: Context, dtype: DType, code: string, lanes: Lanes): Value => ({
  code,
  dtype,
  held: heldIn(context, dtype),
  lanes,
  constant: false,
  // A variable's name is no value: it may be assigned before the value is used.
  atom: false,
  depth: 1,
})

/** `name[i]`, or the component of a vec4. */
const elementOf = (name: string, vec4: boolean, flat: Index, context: Context): string => {
  const at = notNegative(flat, context)
  if (!vec4) return `${name}[${bare(indexCode(at, context))}]`
  const group = bare(indexCode(ix.floorDiv(at, 4), context))
  const lane = settle(ix.mod(at, 4), context)
  return `${name}[${group}]${ix.isConst(lane) ? `.${components[lane.value]}` : `[${indexCode(lane, context)}]`}`
}

/** As `inArray`, where the length is not known. */
const notNegative = (at: Index, context: Context): Index => {
  const settled = settle(at, context)
  return ix.isConst(settled) && settled.value < 0 ? ix.constant(0) : settled
}

/** A constant subscript outside an array would not compile; it can only stand under a guard that is false. */
const inArray = (at: Index, length: number, context: Context): Index => {
  const settled = settle(at, context)
  return ix.isConst(settled) ? ix.constant(Math.min(Math.max(settled.value, 0), length - 1)) : settled
}

const variableOf = (place: Extract<Place, { kind: 'variables' }>, at: Index, context: Context): string => {
  const settled = settle(at, context)
  if (!ix.isConst(settled)) throw new Error(`kernel ${context.kernel.name} reads a register at ${at.key}`)
  const total = place.names.length * (place.vec4 ? 4 : 1)
  const i = Math.min(Math.max(settled.value, 0), total - 1)
  return place.vec4 ? `${place.names[i >> 2]}.${components[i & 3]}` : `${place.names[i]}`
}

/** The vector that holds an element of every lane's register. */
const ownedElement = (place: Extract<Place, { kind: 'owned' }>, flat: Index, context: Context): string => {
  const at = inArray(flat, place.length, context)
  if (place.array) return `${place.names[0]}[${bare(indexCode(at, context))}]`
  return `${place.names[ix.isConst(at) ? at.value : 0]}`
}
const ownLane = (place: Extract<Place, { kind: 'owned' }>, context: Context): string => {
  const lane = context.fixed.get(place.axis)
  if (lane === undefined)
    throw new Error(`kernel ${context.kernel.name} reads a lane's register outside its axis ${place.axis}`)
  return `.${components[lane]}`
}

export const loadOne = (memory: Memory, at: Index, context: Context): Value => {
  const { place, decl } = memory
  const held = heldIn(context, decl.dtype)
  switch (place.kind) {
    case 'storage':
      return valueOf(
        context,
        decl.dtype,
        fromStored(elementOf(place.name, place.vec4, at, context), place.element, held, 1),
        1,
      )
    case 'array':
      return valueOf(
        context,
        decl.dtype,
        elementOf(place.name, place.vec4, inArray(at, place.length, context), context),
        1,
      )
    case 'variables':
      return valueOf(context, decl.dtype, variableOf(place, at, context), 1)
    case 'owned':
      return valueOf(context, decl.dtype, `${ownedElement(place, at, context)}${ownLane(place, context)}`, 1)
    case 'packed': {
      const perWord = 32 / place.bits
      const element = bind(
        context,
        { ...valueOf(context, 'i32', indexCode(notNegative(at, context), context), 1), held: 'i32' },
        'at',
      ).code
      const word = wordOf(place, `${element} / ${perWord}`)
      const shift = `(u32(${element} % ${perWord}) * ${place.bits}u)`
      return unpack(context, decl.dtype, `((${word} >> ${shift}) & ${place.bits === 8 ? '0xffu' : '0xffffu'})`, 1)
    }
  }
}

const wordOf = (place: Extract<Place, { kind: 'packed' }>, at: string): string =>
  place.atomic ? `atomicLoad(&${place.name}[${at}])` : `${place.name}[${at}]`

/** From the element's bits, in the low part of a u32. */
const unpack = (context: Context, dtype: DType, bits: string, lanes: Lanes): Value => {
  const held = heldIn(context, dtype)
  const from = { code: bits, dtype: 'u16', held: 'u32', lanes } as const
  switch (dtype) {
    case 'bool':
      return valueOf(context, dtype, `(${bits} != ${typeName('u32', lanes)}(0u))`, lanes)
    case 'i8':
      return valueOf(context, dtype, `extractBits(bitcast<${typeName('i32', lanes)}>(${bits}), 0u, 8u)`, lanes)
    case 'i16':
    case 'f16':
      return valueOf(context, dtype, spellBitcast(from, dtype, held, context.helpers), lanes)
    default:
      return valueOf(context, dtype, bits, lanes)
  }
}
const pack = (context: Context, value: Value, bits: 8 | 16): string => {
  const U = typeName('u32', value.lanes)
  const mask = `${U}(${bits === 8 ? '0xffu' : '0xffffu'})`
  if (value.dtype === 'f16') return spellBitcast(value, 'u16', 'u32', context.helpers)
  return `(${toStored(value, 'u32')} & ${mask})`
}

/** The elements at each lane; `step` says how the flat index moves along them. */
export const loadLanes = (
  memory: Memory,
  at: Index,
  step: LaneStep,
  axis: string,
  lanes: Lanes,
  context: Context,
): Value => {
  const { place, decl } = memory
  const held = heldIn(context, decl.dtype)
  if (place.kind === 'owned' && step.kind === 'uniform')
    return valueOf(context, decl.dtype, ownedElement(place, at, context), lanes)
  if (lanes === 4 && step.kind === 'affine' && step.step === 1 && isAligned(step.base, context.ranges)) {
    if (place.kind === 'storage' && place.vec4) {
      const code = `${place.name}[${bare(indexCode(ix.floorDiv(step.base, 4), context))}]`
      return valueOf(context, decl.dtype, fromStored(code, place.element, held, 4), 4)
    }
    if (place.kind === 'array' && place.vec4) {
      const group = inArray(ix.floorDiv(step.base, 4), place.length / 4, context)
      return valueOf(context, decl.dtype, `${place.name}[${bare(indexCode(group, context))}]`, 4)
    }
    if (place.kind === 'variables' && place.vec4 && ix.isConst(step.base)) {
      const name = place.names[Math.min(step.base.value >> 2, place.names.length - 1)]
      return valueOf(context, decl.dtype, `${name}`, 4)
    }
    if (place.kind === 'packed' && place.bits === 8) {
      const word = wordOf(place, indexCode(ix.floorDiv(step.base, 4), context))
      const bits = `((vec4<u32>(${word}) >> vec4<u32>(0u, 8u, 16u, 24u)) & vec4<u32>(0xffu))`
      return unpack(context, decl.dtype, bits, 4)
    }
  }
  const parts = Array.from({ length: lanes }, (_, lane) => loadOne(memory, at, laneOf(context, axis, lane)).code)
  return valueOf(context, decl.dtype, `${typeName(held, lanes)}(${parts.join(', ')})`, lanes)
}

export const storeOne = (memory: Memory, at: Index, value: Value, context: Context): void => {
  const { place } = memory
  const { writer } = context
  switch (place.kind) {
    case 'storage':
      writer.line(`${elementOf(place.name, place.vec4, at, context)} = ${toStored(value, place.element)};`)
      return
    case 'array':
      writer.line(`${elementOf(place.name, place.vec4, inArray(at, place.length, context), context)} = ${value.code};`)
      return
    case 'variables':
      writer.line(`${variableOf(place, at, context)} = ${value.code};`)
      return
    case 'owned':
      writer.line(`${ownedElement(place, at, context)}${ownLane(place, context)} = ${value.code};`)
      return
    case 'packed': {
      const perWord = 32 / place.bits
      const element = bind(
        context,
        { ...valueOf(context, 'i32', indexCode(notNegative(at, context), context), 1), held: 'i32' },
        'at',
      ).code
      const bits = pack(context, value, place.bits)
      const shift = `(u32(${element} % ${perWord}) * ${place.bits}u)`
      const word = `&${place.name}[${element} / ${perWord}]`
      // The word is shared with other invocations: each changes its own bits only.
      writer.line(`atomicAnd(${word}, ~(${place.bits === 8 ? '0xffu' : '0xffffu'} << ${shift}));`)
      writer.line(`atomicOr(${word}, ${bits} << ${shift});`)
    }
  }
}

const wholeForm = (place: Place): boolean => {
  switch (place.kind) {
    case 'packed':
      return place.bits === 8
    case 'owned':
      return false
    default:
      return place.vec4
  }
}

/** Whether a store of these lanes is one assignment. */
export const storesWhole = (memory: Memory, step: LaneStep, lanes: Lanes, context: Context): boolean =>
  lanes === 4 &&
  step.kind === 'affine' &&
  step.step === 1 &&
  isAligned(step.base, context.ranges) &&
  wholeForm(memory.place) &&
  (memory.place.kind !== 'variables' || ix.isConst(step.base))

export const storeWhole = (memory: Memory, base: Index, value: Value, context: Context): void => {
  const { place } = memory
  const group = ix.floorDiv(base, 4)
  switch (place.kind) {
    case 'storage':
      context.writer.line(`${place.name}[${bare(indexCode(group, context))}] = ${toStored(value, place.element)};`)
      return
    case 'array':
      context.writer.line(
        `${place.name}[${indexCode(inArray(group, place.length / 4, context), context)}] = ${value.code};`,
      )
      return
    case 'variables':
      context.writer.line(`${place.names[ix.isConst(group) ? group.value : 0]} = ${value.code};`)
      return
    case 'owned':
      throw new Error('a register of one lane has no aligned vector')
    case 'packed': {
      const bytes = bind(context, { ...valueOf(context, 'u32', pack(context, value, 8), 4), held: 'u32' }, 'bytes').code
      const word = `${bytes}.x | (${bytes}.y << 8u) | (${bytes}.z << 16u) | (${bytes}.w << 24u)`
      context.writer.line(`atomicStore(&${place.name}[${indexCode(group, context)}], ${word});`)
    }
  }
}

/** Stores to an element that every lane has of its own. */
export const storeOwned = (place: Extract<Place, { kind: 'owned' }>, at: Index, value: Value, context: Context): void =>
  context.writer.line(`${ownedElement(place, at, context)} = ${value.code};`)
