/** @file Writes loads that differ from lane to lane: runs, gathers, guards; and the addresses of lanes. */
import { bytesOf } from '@quern/artifact'
import { type Index, type Scalar, scalar } from '@quern/core-ir'
import { defect } from '../defect.ts'
import { scalarConstant } from '../spelling/constants.ts'
import { loadLanes, loadScalar, loadSplat, splat } from '../spelling/memory.ts'
import { lanesOf, partsOf, repOf } from '../spelling/values.ts'
import { castMask } from '../spelling/vector-cast.ts'
import { flatten, inLane, reach, walkOf } from './access.ts'
import { writeIndex } from './indices.ts'
import { type Parts, anyTrue, dataVaries, fromLanes, laneKey, laneOf, varies, vectorOf, withMask } from './lanes.ts'
import { accessOfRegister } from './registers.ts'
import { outside, writeScalar } from './scalars.ts'
import type { KernelState } from './state.ts'
import { everywhere, writeVector } from './vectors.ts'

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

type Load = Extract<Scalar, { kind: 'load' }>

/** A condition as the part that all lanes share, if there is one, and the part that differs. */
const splitGuard = (k: KernelState, guard: Scalar): { readonly shared?: Scalar; readonly own: Scalar } => {
  if (guard.kind !== 'binary' || guard.op !== 'and') return { own: guard }
  const all = conjuncts(guard)
  const both = (xs: readonly Scalar[]): Scalar | undefined =>
    xs.length === 0 ? undefined : xs.reduce((a, b) => scalar.binary('and', a, b))
  const shared = both(all.filter(x => !varies(k, x)))
  const own = both(all.filter(x => varies(k, x)))
  return shared === undefined || own === undefined ? { own: guard } : { shared, own }
}
const conjuncts = (x: Scalar): readonly Scalar[] =>
  x.kind === 'binary' && x.op === 'and' && x.dtype === 'bool' ? [...conjuncts(x.lhs), ...conjuncts(x.rhs)] : [x]

export const writeVectorLoad = (k: KernelState, x: Load, extent: number): Parts => {
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
  const fills = writeVector(k, fill).map(p => k.hold(p, 'v128'))
  setAll(fills)
  // Where no lane may read, nothing is read; where some may, a run of neighbours is read whole and masked, others one by one.
  const masked = (condition: Scalar): void => {
    const guard = writeVector(k, condition).map(p => k.hold(p, 'v128'))
    withMask(k, guard, active =>
      k.w.if(anyTrue(active, extent), () =>
        k.framed(none, () => {
          const parts = elements(k, x, extent)
          const masks = castMask('bool', x.dtype, guard, extent, k)
          setAll(parts.map((p, i) => `(v128.bitselect ${p} ${fills[i]} ${masks[i]})`))
        }),
      ),
    )
  }
  const { shared, own } = k.isReused(x.guard.key) ? { own: x.guard } : splitGuard(k, x.guard)
  if (shared === undefined) masked(own)
  else k.w.if(writeScalar(k, shared), () => k.framed(none, () => masked(own)))
  return k.getAll(results)
}

const everyOther = (low: string, high: string | undefined, k: KernelState): string => {
  const first = high === undefined ? k.hold(low, 'v128') : low
  return `(i8x16.shuffle 0 1 2 3 8 9 10 11 16 17 18 19 24 25 26 27 ${first} ${high ?? first})`
}

/** Reads one element a lane. Lanes that the mask switches off hold anything. */
const elements = (k: KernelState, x: Load, extent: number): Parts => {
  const home = k.home(x.buffer)
  const { decl } = home
  const d = decl.dtype
  const shared = (): Parts => everywhere(k, scalar.load(x.buffer, x.dtype, x.indices), extent)
  if (home.kind === 'locals')
    return accessOfRegister(decl, x.indices)?.lanes === 1 ? shared() : k.getAll(registerParts(k, x.buffer, x.indices))
  const position = flatten(k, decl, x.indices)
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
  if (walk.kind === 'linear' && walk.stride === 2 && bytesOf[d] === 4) {
    // Two neighbouring vectors hold the four elements; the last one read is at most one element past the last lane's.
    const from = reach(k, home, walk.first, dataOf(k))
    return Array.from({ length: partsOf(d, extent) }, (_, part) =>
      extent === 2
        ? everyOther(loadLanes(d, from.at(0), 4, k), undefined, k)
        : everyOther(loadLanes(d, from.at(32 * part), 4, k), loadLanes(d, from.at(32 * part + 16), 4, k), k),
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
  const walk = walkOf(k, flatten(k, decl, indices), dataVaries(k))
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
