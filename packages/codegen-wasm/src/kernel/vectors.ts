/** @file Writes expressions that differ from lane to lane: lists of v128. */
import type { DType } from '@quern/artifact'
import { bytesOf } from '@quern/artifact'
import { type Index, type Scalar, ix, scalar } from '@quern/core-ir'
import { defect } from '../defect.ts'
import { scalarConstant, vectorConstant } from '../spelling/constants.ts'
import { extractLane, loadLanes, loadScalar, loadSplat, replaceLane, splat } from '../spelling/memory.ts'
import { isBasicBinary } from '../spelling/scalar-binary.ts'
import { scalarBitcast, scalarCast } from '../spelling/scalar-cast.ts'
import { isBasicUnary } from '../spelling/scalar-unary.ts'
import { type Class, type Spell, bitsOf, classOf, lanesOf, partsOf, repOf, shapeOf } from '../spelling/values.ts'
import { type VectorSpelling, shiftLanes, vectorBinary } from '../spelling/vector-binary.ts'
import { castMask, vectorBitcast, vectorCast } from '../spelling/vector-cast.ts'
import { vectorUnary } from '../spelling/vector-unary.ts'
import { flatten, inLane, reach, walkOf } from './access.ts'
import { allChildren, mentionsOf } from './analysis.ts'
import { writeIndex } from './indices.ts'
import { accessOfRegister } from './registers.ts'
import { outside, spellBinary, spellIntrinsic, writeScalar } from './scalars.ts'
import type { KernelState, Vector } from './state.ts'

export type Parts = readonly string[]

export const vectorOf = (k: KernelState): Vector => {
  if (k.vector === undefined) throw defect('no vector loop is open')
  return k.vector
}

/** Whether a value may differ between the lanes of the current vector loop. */
export const varies = (k: KernelState, x: Scalar): boolean => {
  if (k.vector === undefined) return false
  if (x.kind === 'ref') return (k.lets.get(x.name)?.lanes ?? 1) > 1
  if (x.kind === 'index') return indexVaries(k, x.index)
  if (x.kind === 'load' && x.indices.some(i => indexVaries(k, i))) return true
  return allChildren(x).some(c => varies(k, c))
}
export const indexVaries = (k: KernelState, x: Index): boolean =>
  k.vector !== undefined && (mentionsOf([], [x]).variables.has(k.vector.axis) || dataDiffers(k, x))
/** Whether the data inside an index differs between lanes. */
export const dataVaries =
  (k: KernelState) =>
  (x: Index): boolean =>
    dataDiffers(k, x)
const dataDiffers = (k: KernelState, x: Index): boolean => {
  let found = false
  ix.visitAtoms(x, atom => {
    if (atom.kind === 'value' && varies(k, atom.scalar)) found = true
  })
  return found
}

/** Under what the vector of a value is remembered. */
export const laneKey = (extent: number, x: Scalar): string => `lanes ${extent} ${x.key}`

/** A value in every lane. What the block needs again is put into locals. */
export const writeVector = (k: KernelState, x: Scalar): Parts => {
  const { extent } = vectorOf(k)
  const key = laneKey(extent, x)
  const known = k.held(key)
  if (known !== undefined) return known
  const parts = varies(k, x) ? write(k, x, extent) : everywhere(k, x, extent)
  const free = x.kind === 'const' || x.kind === 'ref' || (x.kind === 'load' && k.home(x.buffer).kind === 'locals')
  if (!k.isReused(x.key) || free) return parts
  const held = parts.map(p => k.hold(p, 'v128'))
  k.remember(key, x, held)
  return held
}

/** A value that all lanes share. */
const everywhere = (k: KernelState, x: Scalar, extent: number): Parts => {
  const count = partsOf(x.dtype, extent)
  if (x.kind === 'const') return Array.from({ length: count }, () => vectorConstant(x.dtype, x.value))
  const text = splatOfLoad(k, x) ?? splat(x.dtype, writeScalar(k, x))
  const one = count === 1 ? text : k.hold(text, 'v128')
  return Array.from({ length: count }, () => one)
}
const splatOfLoad = (k: KernelState, x: Scalar): string | undefined => {
  if (x.kind !== 'load' || x.guard !== undefined || k.held(x.key) !== undefined) return undefined
  const home = k.home(x.buffer)
  if (home.kind !== 'memory' || loadSplat(x.dtype, { pointer: '', offset: 0 }) === undefined) return undefined
  return loadSplat(x.dtype, reach(k, home, flatten(home.decl, x.indices), dataOf(k)).at(0))
}

/** Data in subscripts, as an i32. */
export const dataOf =
  (k: KernelState) =>
  (x: Scalar): string => {
    const text = writeScalar(k, x)
    return repOf[x.dtype] === 'i64' ? `(i32.wrap_i64 ${text})` : text
  }
/** Data in subscripts, as lane `lane` sees it. */
const dataOfLane =
  (k: KernelState, lane: number) =>
  (x: Scalar): string => {
    if (!varies(k, x)) return dataOf(k)(x)
    const text = laneOf(x.dtype, heldParts(k, x), lane)
    return repOf[x.dtype] === 'i64' ? `(i32.wrap_i64 ${text})` : text
  }
/** The parts of a value in locals, remembered for the other lanes. */
const heldParts = (k: KernelState, x: Scalar): Parts => {
  const key = laneKey(vectorOf(k).extent, x)
  const known = k.held(key)
  if (known !== undefined) return known
  const parts = writeVector(k, x).map(p => k.hold(p, 'v128'))
  k.remember(key, x, parts)
  return parts
}

export const laneOf = (d: DType, parts: Parts, lane: number): string =>
  extractLane(d, parts[Math.floor(lane / lanesOf(d))] ?? '', lane % lanesOf(d))

/** A vector value from one scalar a lane. */
export const fromLanes = (k: KernelState, d: DType, lanes: readonly string[]): Parts => {
  const per = lanesOf(d)
  return Array.from({ length: partsOf(d, lanes.length) }, (_, part) => {
    const [first = '', ...rest] = lanes.slice(part * per, (part + 1) * per)
    return rest.reduce((v, x, i) => replaceLane(d, v, i + 1, x), splat(d, first))
  }).map(p => k.hold(p, 'v128'))
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
      return writeLoad(k, x, extent)
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
      if (x.name === 'madd')
        return (args[0] ?? []).map((a, i) =>
          k.relaxed
            ? `(f32x4.relaxed_madd ${a} ${args[1]?.[i]} ${args[2]?.[i]})`
            : `(f32x4.add (f32x4.mul ${a} ${args[1]?.[i]}) ${args[2]?.[i]})`,
        )
      const operands = args.map((parts, i) => ({ dtype: x.args[i]?.dtype ?? x.dtype, parts }))
      return laneByLane(k, x.dtype, extent, operands, lanes => spellIntrinsic(x.name, lanes))
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

type Load = Extract<Scalar, { kind: 'load' }>

const writeLoad = (k: KernelState, x: Load, extent: number): Parts => {
  if (x.guard === undefined || x.fill === undefined) return elements(k, x, extent)
  const { fill } = x
  const count = partsOf(x.dtype, extent)
  const results = Array.from({ length: count }, () => k.w.local('guarded', 'v128'))
  const none = new Map<string, number>()
  const setAll = (parts: Parts): void => parts.forEach((p, i) => k.w.set(results[i] ?? '', p))
  if (!varies(k, x.guard)) {
    k.w.if(
      writeScalar(k, x.guard),
      () => k.framed(none, () => setAll(elements(k, x, extent))),
      () => k.framed(none, () => setAll(writeVector(k, fill))),
    )
    return k.getAll(results)
  }
  // Where no lane may read, nothing is read; where some may, a run of neighbours is read whole and masked, others one by one.
  const guard = writeVector(k, x.guard).map(p => k.hold(p, 'v128'))
  const fills = writeVector(k, fill).map(p => k.hold(p, 'v128'))
  setAll(fills)
  withMask(k, guard, active =>
    k.w.if(anyTrue(active, extent), () =>
      k.framed(none, () => {
        const parts = elements(k, x, extent)
        const masks = castMask('bool', x.dtype, guard, extent, k)
        setAll(parts.map((p, i) => `(v128.bitselect ${p} ${fills[i]} ${masks[i]})`))
      }),
    ),
  )
  return k.getAll(results)
}

/** Whether any lane of a mask is set; of two lanes, what lies above them is not looked at. */
export const anyTrue = (masks: Parts, extent: number): string =>
  extent === 2
    ? `(i64.ne (i64x2.extract_lane 0 ${masks[0] ?? ''}) (i64.const 0))`
    : `(v128.any_true ${masks.reduce((all, m) => `(v128.or ${all} ${m})`)})`

/** Writes with only those lanes active that the mask (in locals) and the enclosing one name. */
export const withMask = <T>(k: KernelState, mask: Parts, write: (active: Parts) => T): T => {
  const vector = vectorOf(k)
  const outer = vector.mask
  const active = outer === undefined ? mask : mask.map((m, i) => k.hold(`(v128.and ${m} ${outer[i]})`, 'v128'))
  vector.mask = active
  const result = write(active)
  vector.mask = outer
  return result
}

/** Reads one element a lane. Lanes that the mask switches off hold anything. */
const elements = (k: KernelState, x: Load, extent: number): Parts => {
  const home = k.home(x.buffer)
  const { decl } = home
  const d = decl.dtype
  const shared = (): Parts => everywhere(k, scalar.load(x.buffer, x.dtype, x.indices), extent)
  if (home.kind === 'locals')
    return accessOfRegister(decl, x.indices)?.lanes === 1 ? shared() : k.getAll(registerParts(k, x.buffer, x.indices))
  const position = flatten(decl, x.indices)
  const walk = walkOf(k, position, dataVaries(k))
  if (walk.kind === 'linear' && walk.stride === 0) {
    const address = reach(k, home, walk.first, dataOf(k)).at(0)
    const one = k.hold(loadSplat(d, address) ?? splat(d, loadScalar(d, address, k)), 'v128')
    return Array.from({ length: partsOf(d, extent) }, () => one)
  }
  if (walk.kind === 'linear' && walk.stride === 1) {
    const from = reach(k, home, walk.first, dataOf(k))
    const per = lanesOf(d)
    return Array.from({ length: partsOf(d, extent) }, (_, part) =>
      loadLanes(d, from.at(part * per * bytesOf[d]), Math.min(per, extent - part * per), k),
    )
  }
  const { mask } = vectorOf(k)
  const addresses = laneAddresses(k, x.buffer, x.indices, extent)
  return fromLanes(
    k,
    d,
    addresses.map((address, lane) => {
      const value = loadScalar(d, address(), k)
      if (mask === undefined) return value
      return `(if (result ${repOf[d]}) ${laneOf('bool', mask, lane)} (then ${value}) (else ${scalarConstant(d, 0)}))`
    }),
  )
}

/** The address of each lane's element. */
export const laneAddresses = (k: KernelState, buffer: string, indices: readonly Index[], extent: number) => {
  const home = k.home(buffer)
  if (home.kind !== 'memory') throw defect(`${buffer} has no address`)
  const { decl } = home
  const walk = walkOf(k, flatten(decl, indices), dataVaries(k))
  if (walk.kind === 'linear') {
    const from = reach(k, home, walk.first, dataOf(k))
    return Array.from({ length: extent }, (_, lane) => () => from.at(lane * walk.stride * bytesOf[decl.dtype]))
  }
  return Array.from(
    { length: extent },
    (_, lane) => () => reach(k, home, inLane(k, walk.at, lane), dataOfLane(k, lane)).at(0),
  )
}

/** The locals of a run of a register buffer. */
export const registerParts = (k: KernelState, buffer: string, indices: readonly Index[]): Parts => {
  const home = k.home(buffer)
  const access = accessOfRegister(home.decl, indices)
  if (home.kind !== 'locals' || access === undefined || access.lanes === 1)
    throw defect(`${buffer} is not indexed by lanes`)
  const per = Math.min(access.lanes, lanesOf(home.decl.dtype))
  const first = access.element / per
  return Array.from(
    { length: partsOf(home.decl.dtype, access.lanes) },
    (_, i) => home.names[first + i] ?? outside(buffer),
  )
}

/** An index as lane `lane` sees it, an i32. */
export const writeIndexIn = (k: KernelState, x: Index, lane: number): string =>
  writeIndex(k, inLane(k, x, lane), dataOfLane(k, lane))
