/** @file Writes scalar expressions that are equal in all lanes. */
import { type Index, type Scalar, ix } from '@quern/core-ir'
import { defect } from '../defect.ts'
import { scalarConstant } from '../spelling/constants.ts'
import { intrinsicSpelling } from '../spelling/intrinsics.ts'
import { extractLane, loadScalar } from '../spelling/memory.ts'
import { scalarBinary, isBasicBinary } from '../spelling/scalar-binary.ts'
import { scalarBitcast, scalarCast } from '../spelling/scalar-cast.ts'
import { isBasicUnary, scalarUnary } from '../spelling/scalar-unary.ts'
import { type Class, type Spell, classOf, lanesOf, repOf } from '../spelling/values.ts'
import { get } from '../text/wat.ts'
import type { DType } from '@quern/artifact'
import { flatten, reach } from './access.ts'
import { writeIndex } from './indices.ts'
import { accessOfRegister } from './registers.ts'
import type { KernelState } from './state.ts'

/** One element, as wasm text. What the block needs again is put into a local. */
export const writeScalar = (k: KernelState, x: Scalar): string => {
  const [known] = k.held(x.key) ?? []
  if (known !== undefined) return known
  const text = write(k, x)
  if (!k.isReused(x.key) || isFree(k, x)) return text
  const held = k.hold(text, repOf[x.dtype])
  k.remember(x.key, x, [held])
  return held
}

/** What costs nothing to write twice. */
const isFree = (k: KernelState, x: Scalar): boolean =>
  x.kind === 'const' ||
  x.kind === 'ref' ||
  (x.kind === 'load' && x.guard === undefined && k.home(x.buffer).kind === 'locals')

/** An index as an i32, with its data written as scalars. */
export const writeIndexScalar = (k: KernelState, x: Index): string => writeIndex(k, x, s => asI32(k, s))
const asI32 = (k: KernelState, x: Scalar): string => {
  const text = writeScalar(k, x)
  return repOf[x.dtype] === 'i64' ? `(i32.wrap_i64 ${text})` : text
}

const missing = (op: string, d: DType): never => {
  throw defect(`${op} on ${d} has no spelling`)
}

/** Applies a two-operand op to written operands. */
export const spellBinary = (
  op: Extract<Scalar, { kind: 'binary' }>['op'],
  d: DType,
  a: string,
  b: string,
  s: Spell,
): string => {
  if (!isBasicBinary(op)) throw defect(`${op} should have been expanded into basic ops`)
  const row: Partial<Record<Class, (d: DType, a: string, b: string, s: Spell) => string>> = scalarBinary[op]
  return (row[classOf[d]] ?? missing(op, d))(d, a, b, s)
}
export const spellUnary = (op: Extract<Scalar, { kind: 'unary' }>['op'], d: DType, x: string, s: Spell): string => {
  if (!isBasicUnary(op)) throw defect(`${op} should have been expanded into basic ops`)
  const row: Partial<Record<Class, (d: DType, x: string, s: Spell) => string>> = scalarUnary[op]
  return (row[classOf[d]] ?? missing(op, d))(d, x, s)
}

const write = (k: KernelState, x: Scalar): string => {
  switch (x.kind) {
    case 'const':
      return scalarConstant(x.dtype, x.value)
    case 'index': {
      const i = writeIndexScalar(k, x.index)
      return x.dtype === 'i64' ? `(i64.extend_i32_s ${i})` : i
    }
    case 'ref': {
      const home = k.lets.get(x.name)
      if (home?.everywhere !== undefined) return extractLane(x.dtype, home.everywhere, 0)
      const [name] = home?.names ?? []
      if (home === undefined || name === undefined || home.lanes > 1) throw defect(`${x.name} is not bound here`)
      return get(name)
    }
    case 'load':
      return writeLoad(k, x)
    case 'unary':
      return spellUnary(x.op, x.operand.dtype, writeScalar(k, x.operand), k)
    case 'binary':
      return spellBinary(x.op, x.lhs.dtype, writeScalar(k, x.lhs), writeScalar(k, x.rhs), k)
    case 'select':
      return `(select ${writeScalar(k, x.then)} ${writeScalar(k, x.otherwise)} ${writeScalar(k, x.condition)})`
    case 'cast':
      return scalarCast(x.operand.dtype, x.dtype, writeScalar(k, x.operand), k)
    case 'bitcast':
      return scalarBitcast(x.operand.dtype, x.dtype, writeScalar(k, x.operand), k)
    case 'intrinsic':
      return intrinsicSpelling(x.name).scalar(x.args.map(a => writeScalar(k, a)))
    case 'reduce':
      throw defect('a reduction should have become loops')
  }
}

type Load = Extract<Scalar, { kind: 'load' }>

const writeLoad = (k: KernelState, x: Load): string => {
  if (x.guard === undefined || x.fill === undefined) return element(k, x.buffer, x.indices)
  const { fill } = x
  const result = k.w.local('guarded', repOf[x.dtype])
  const none = new Map<string, number>()
  k.w.if(
    writeScalar(k, x.guard),
    () => k.framed(none, () => k.w.set(result, element(k, x.buffer, x.indices))),
    () => k.framed(none, () => k.w.set(result, writeScalar(k, fill))),
  )
  return get(result)
}

/** Reads an element of a buffer, wherever that lives. */
export const element = (k: KernelState, buffer: string, indices: readonly Index[]): string => {
  const home = k.home(buffer)
  const { decl } = home
  if (home.kind === 'memory')
    return loadScalar(decl.dtype, reach(k, home, flatten(k, decl, indices), s => asI32(k, s)).at(0), k)
  const { name, lane } = registerElement(k, buffer, indices)
  return lane === undefined ? get(name) : extractLane(decl.dtype, get(name), lane)
}

/** The local that holds one element of a register buffer, and its lane if that local is a vector. */
export const registerElement = (
  k: KernelState,
  buffer: string,
  indices: readonly Index[],
): { name: string; lane: number | undefined } => {
  const home = k.home(buffer)
  const access = accessOfRegister(home.decl, indices)
  if (home.kind !== 'locals' || access === undefined || access.lanes !== 1)
    throw defect(`${buffer} is not indexed by constants`)
  if (home.lanes === 1) return { name: home.names[access.element] ?? outside(buffer), lane: undefined }
  const perLocal = Math.min(home.lanes, lanesOf(home.decl.dtype))
  const name = home.names[Math.floor(access.element / perLocal)] ?? outside(buffer)
  return { name, lane: access.element % perLocal }
}
export const outside = (buffer: string): never => {
  throw defect(`an access of ${buffer} is outside its shape`)
}
export const constantIndex = (x: Index): number | undefined => (ix.isConst(x) ? x.value : undefined)
