/** @file Writes expressions that differ from lane to lane: lists of v128. */
import type { DType } from '@quern/artifact'
import { type Index, type Scalar, ix, scalar } from '@quern/core-ir'
import { defect } from '../defect.ts'
import { intrinsicSpelling } from '../spelling/intrinsics.ts'
import { loadSplat, splat } from '../spelling/memory.ts'
import { isBasicBinary } from '../spelling/scalar-binary.ts'
import { scalarBitcast, scalarCast } from '../spelling/scalar-cast.ts'
import { isBasicUnary } from '../spelling/scalar-unary.ts'
import { type Class, type Spell, bitsOf, classOf, lanesOf, partsOf, repOf, shapeOf } from '../spelling/values.ts'
import { type VectorSpelling, shiftLanes, vectorBinary } from '../spelling/vector-binary.ts'
import { castMask, vectorBitcast, vectorCast } from '../spelling/vector-cast.ts'
import { vectorUnary } from '../spelling/vector-unary.ts'
import { flatten, inLane, reach, walkOf } from './access.ts'
import { type Parts, dataVaries, fromLanes, laneKey, laneOf, varies, vectorOf } from './lanes.ts'
import { spellBinary, writeScalar } from './scalars.ts'
import type { KernelState } from './state.ts'
import { dataOf, writeIndexIn, writeVectorLoad } from './vector-loads.ts'

/** A value in every lane. What the block needs again is put into locals. */
export const writeVector = (k: KernelState, x: Scalar): Parts => {
  const { extent } = vectorOf(k)
  const key = laneKey(extent, x)
  const known = k.held(key)
  if (known !== undefined) return known
  const parts = varies(k, x) ? write(k, x, extent) : everywhere(k, x, extent)
  const free = x.kind === 'const' || isVectorRef(k, x) || (x.kind === 'load' && k.home(x.buffer).kind === 'locals')
  if (!k.isReused(x.key) || free) return parts
  const held = parts.map(p => k.hold(p, 'v128'))
  k.remember(key, x, held)
  return held
}

const isVectorRef = (k: KernelState, x: Scalar): boolean => {
  const home = x.kind === 'ref' ? k.lets.get(x.name) : undefined
  return home !== undefined && (home.lanes > 1 || home.everywhere !== undefined)
}

/** A shared value that is in every lane of a vector already, or gets there by one instruction. */
export const sharedVector = (k: KernelState, x: Scalar): string | undefined => {
  const [known] = k.held(laneKey(vectorOf(k).extent, x)) ?? []
  if (known !== undefined) return known
  const text = splatOfLoad(k, x)
  return text === undefined ? undefined : k.hold(text, 'v128')
}

/** A value that all lanes share. */
export const everywhere = (k: KernelState, x: Scalar, extent: number): Parts => {
  const count = partsOf(x.dtype, extent)
  if (x.kind === 'const') return Array.from({ length: count }, () => k.constantVector(x.dtype, x.value))
  const bound = x.kind === 'ref' ? k.lets.get(x.name)?.everywhere : undefined
  const text = bound ?? splatOfLoad(k, x) ?? splat(x.dtype, writeScalar(k, x))
  const one = count === 1 ? text : k.hold(text, 'v128')
  return Array.from({ length: count }, () => one)
}
const splatOfLoad = (k: KernelState, x: Scalar): string | undefined => {
  if (x.kind !== 'load' || x.guard !== undefined || k.held(x.key) !== undefined) return undefined
  const home = k.home(x.buffer)
  if (home.kind !== 'memory' || loadSplat(x.dtype, { pointer: '', offset: 0 }) === undefined) return undefined
  return loadSplat(x.dtype, reach(k, home, flatten(k, home.decl, x.indices), dataOf(k)).at(0))
}

/** Applies a scalar spelling to each lane. */
const laneByLane = (
  k: KernelState,
  result: DType,
  extent: number,
  operands: readonly { readonly dtype: DType; readonly parts: Parts }[],
  spell: (lanes: readonly string[]) => string,
): Parts => {
  const held = operands.map(o => ({ dtype: o.dtype, parts: o.parts.map(p => k.hold(p, 'v128')) }))
  return fromLanes(
    k,
    result,
    Array.from({ length: extent }, (_, lane) =>
      k.hold(spell(held.map(o => laneOf(o.dtype, o.parts, lane))), repOf[result]),
    ),
  )
}

const write = (k: KernelState, x: Scalar, extent: number): Parts => {
  switch (x.kind) {
    case 'const':
    case 'reduce':
      throw defect(`a ${x.kind} is no vector`)
    case 'index':
      return writeIndexLanes(k, x.index, x.dtype, extent)
    case 'ref':
      return k.getAll(k.lets.get(x.name)?.names ?? [])
    case 'load':
      return writeVectorLoad(k, x, extent)
    case 'unary': {
      if (!isBasicUnary(x.op)) throw defect(`${x.op} should have been expanded into basic ops`)
      const row: Partial<Record<Class, (d: DType, v: string, s: Spell) => string>> = vectorUnary[x.op]
      const d = x.operand.dtype
      const spell = row[classOf[d]]
      if (spell === undefined) throw defect(`${x.op} on ${d} has no spelling`)
      const parts = writeVector(k, x.operand).map(p => spell(d, p, k))
      return x.dtype === 'bool' ? castMask(d, 'bool', parts, extent, k) : parts
    }
    case 'binary':
      return writeBinary(k, x, extent)
    case 'select': {
      const extreme = pseudoExtremum(x)
      if (extreme !== undefined) {
        const a = writeVector(k, x.otherwise),
          b = writeVector(k, x.then)
        return a.map((v, i) => `(${shapeOf(x.dtype)}.${extreme} ${v} ${b[i]})`)
      }
      const masks = castMask('bool', x.dtype, writeVector(k, x.condition), extent, k)
      const then = writeVector(k, x.then),
        otherwise = writeVector(k, x.otherwise)
      return masks.map((m, i) => `(v128.bitselect ${then[i]} ${otherwise[i]} ${m})`)
    }
    case 'cast': {
      const from = x.operand.dtype
      const parts = writeVector(k, x.operand)
      return (
        vectorCast(from, x.dtype, parts, extent, k) ??
        laneByLane(k, x.dtype, extent, [{ dtype: from, parts }], ([v = '']) => scalarCast(from, x.dtype, v, k))
      )
    }
    case 'bitcast': {
      const from = x.operand.dtype
      const parts = writeVector(k, x.operand)
      return (
        vectorBitcast(from, x.dtype, parts) ??
        laneByLane(k, x.dtype, extent, [{ dtype: from, parts }], ([v = '']) => scalarBitcast(from, x.dtype, v, k))
      )
    }
    case 'intrinsic': {
      const args = x.args.map(a => writeVector(k, a))
      const { vector } = intrinsicSpelling(x.name)
      const [first = [], ...others] = args
      return first.map((a, i) => vector([a, ...others.map(o => o[i] ?? '')], k.relaxed))
    }
  }
}

/** `a < b ? b : a` and `b < a ? b : a` of floats are one instruction each. */
const pseudoExtremum = (x: Extract<Scalar, { kind: 'select' }>): 'pmax' | 'pmin' | undefined => {
  const { condition: c, then, otherwise } = x
  if (c.kind !== 'binary' || classOf[x.dtype] !== 'float' || (c.op !== 'lt' && c.op !== 'gt')) return undefined
  const [less, more] = c.op === 'lt' ? [c.lhs, c.rhs] : [c.rhs, c.lhs]
  if (less.key === otherwise.key && more.key === then.key) return 'pmax'
  return less.key === then.key && more.key === otherwise.key ? 'pmin' : undefined
}

const writeBinary = (k: KernelState, x: Extract<Scalar, { kind: 'binary' }>, extent: number): Parts => {
  const d = x.lhs.dtype
  if ((x.op === 'shl' || x.op === 'shr') && !varies(k, x.rhs)) {
    const count = writeScalar(k, x.rhs)
    const narrow = bitsOf[d] < 32 ? `(i32.and ${count} (i32.const ${bitsOf[d] - 1}))` : count
    const held = k.hold(repOf[d] === 'i64' ? `(i32.wrap_i64 ${narrow})` : narrow, 'i32')
    const { op } = x
    return writeVector(k, x.lhs).map(v => shiftLanes(op, d, v, held, classOf[d] === 'signed'))
  }
  return spellVectorBinary(k, x.op, d, x.dtype, writeVector(k, x.lhs), writeVector(k, x.rhs), extent)
}

/** Applies a two-operand op to written vectors. */
export const spellVectorBinary = (
  k: KernelState,
  op: Extract<Scalar, { kind: 'binary' }>['op'],
  d: DType,
  result: DType,
  lhs: Parts,
  rhs: Parts,
  extent: number,
): Parts => {
  if (!isBasicBinary(op)) throw defect(`${op} should have been expanded into basic ops`)
  const row: Partial<Record<Class, VectorSpelling | 'lanes'>> = vectorBinary[op]
  const spell = row[classOf[d]]
  if (spell === undefined) throw defect(`${op} on ${d} has no spelling`)
  if (spell === 'lanes') {
    const operands = [lhs, rhs].map(parts => ({ dtype: d, parts }))
    return laneByLane(k, result, extent, operands, ([a = '', b = '']) => spellBinary(op, d, a, b, k))
  }
  const parts = lhs.map((a, i) => spell(d, a, rhs[i] ?? '', k))
  return result === 'bool' ? castMask(d, 'bool', parts, extent, k) : parts
}

/** The lanes of an index as numbers. */
const writeIndexLanes = (k: KernelState, x: Index, d: DType, extent: number): Parts => {
  const walk = walkOf(k, x, dataVaries(k))
  const per = lanesOf(d)
  if (walk.kind === 'linear') {
    const first = splat(d, writeScalar(k, scalar.indexScalar(walk.first, d === 'i64' ? 'i64' : 'i32')))
    const steps = (part: number): string =>
      Array.from({ length: per }, (_, i) => (part * per + i) * walk.stride).join(' ')
    const held = partsOf(d, extent) === 1 ? first : k.hold(first, 'v128')
    return Array.from({ length: partsOf(d, extent) }, (_, part) =>
      ix.isConst(walk.first, 0)
        ? `(v128.const ${shapeOf(d)} ${steps(part)})`
        : `(${shapeOf(d)}.add ${held} (v128.const ${shapeOf(d)} ${steps(part)}))`,
    )
  }
  return fromLanes(
    k,
    d,
    Array.from({ length: extent }, (_, lane) => {
      const i = writeIndexIn(k, inLane(k, walk.at, lane), lane)
      return d === 'i64' ? `(i64.extend_i32_s ${i})` : i
    }),
  )
}
