/** @file Writes `store` and `accumulate`, outside vector loops and inside them, under masks too. */
import { bytesOf } from '@quern/artifact'
import { type Index, type Stmt, combinerOp, scalar } from '@quern/core-ir'
import { lanesForMemory, loadScalar, replaceLane, storeLane, storeLanes, storeScalar } from '../spelling/memory.ts'
import { lanesOf } from '../spelling/values.ts'
import { castMask } from '../spelling/vector-cast.ts'
import { get } from '../text/wat.ts'
import { flatten, reach, walkOf } from './access.ts'
import { accessOfRegister } from './registers.ts'
import { element, registerElement, spellBinary, writeScalar } from './scalars.ts'
import type { KernelState } from './state.ts'
import { type Parts, dataVaries, indexVaries, laneOf, varies, vectorOf } from './lanes.ts'
import { dataOf, laneAddresses, registerParts } from './vector-loads.ts'
import { writeVector } from './vectors.ts'

type Store = Extract<Stmt, { kind: 'store' }>
type Accumulate = Extract<Stmt, { kind: 'accumulate' }>

export const writeStore = (k: KernelState, s: Store): void => {
  if (k.vector !== undefined && (varies(k, s.value) || s.indices.some(i => indexVaries(k, i)))) storeVector(k, s)
  else storeElement(k, s.buffer, s.indices, writeScalar(k, s.value))
  k.forget(s.buffer)
}

export const writeAccumulate = (k: KernelState, s: Accumulate): void => {
  const d = k.home(s.buffer).decl.dtype
  const whole = scalar.binary(combinerOp[s.reducer], scalar.load(s.buffer, d, s.indices), s.value)
  if (k.vector === undefined) storeElement(k, s.buffer, s.indices, writeScalar(k, whole))
  else if (isSpread(k, s.buffer, s.indices))
    storeVector(k, { kind: 'store', buffer: s.buffer, indices: s.indices, value: whole })
  else accumulateLanes(k, s)
  k.forget(s.buffer)
}

/** Whether each lane has an element of its own for certain. */
const isSpread = (k: KernelState, buffer: string, indices: readonly Index[]): boolean => {
  const home = k.home(buffer)
  if (home.kind === 'locals') return (accessOfRegister(home.decl, indices)?.lanes ?? 1) > 1
  const walk = walkOf(k, flatten(k, home.decl, indices), dataVaries(k))
  return walk.kind === 'linear' && walk.stride > 0
}
/** Stores a scalar into memory, a local, or one lane of a local. */
const storeElement = (k: KernelState, buffer: string, indices: readonly Index[], value: string): void => {
  const home = k.home(buffer)
  const d = home.decl.dtype
  if (home.kind === 'memory') {
    k.w.line(storeScalar(d, reach(k, home, flatten(k, home.decl, indices), dataOf(k)).at(0), value, k))
    return
  }
  const { name, lane } = registerElement(k, buffer, indices)
  k.w.set(name, lane === undefined ? value : replaceLane(d, get(name), lane, value))
}
const storeVector = (k: KernelState, s: Store): void => {
  const { extent, mask } = vectorOf(k)
  const home = k.home(s.buffer)
  const d = home.decl.dtype
  const parts = writeVector(k, s.value)
  if (home.kind === 'locals') {
    if (accessOfRegister(home.decl, s.indices)?.lanes === 1) return storeLast(k, s, parts)
    const names = registerParts(k, s.buffer, s.indices)
    const masks = mask === undefined ? undefined : castMask('bool', d, mask, extent, k)
    // All new values first: a later part may read what an earlier one replaces.
    const values = parts.map((p, i) =>
      masks === undefined ? p : `(v128.bitselect ${p} ${get(names[i] ?? '')} ${masks[i]})`,
    )
    const ready = values.length > 1 ? values.map(v => k.hold(v, 'v128')) : values
    ready.forEach((v, i) => k.w.set(names[i] ?? '', v))
    return
  }
  const walk = walkOf(k, flatten(k, home.decl, s.indices), dataVaries(k))
  if (mask === undefined && walk.kind === 'linear' && walk.stride === 1) {
    const to = reach(k, home, walk.first, dataOf(k))
    const per = lanesOf(d)
    const ready = parts.length > 1 ? parts.map(p => k.hold(p, 'v128')) : parts
    ready.forEach((p, i) => k.w.line(storeLanes(d, to.at(i * per * bytesOf[d]), p, Math.min(per, extent - i * per), k)))
    return
  }
  const bits = parts.map(p => k.hold(lanesForMemory(d, p, k), 'v128'))
  const per = lanesOf(d)
  laneAddresses(k, s.buffer, s.indices, extent).forEach((address, lane) =>
    whereActive(k, lane, () => k.w.line(storeLane(d, address(), bits[Math.floor(lane / per)] ?? '', lane % per))),
  )
}

/** Runs for one lane, if that lane is active. */
const whereActive = (k: KernelState, lane: number, write: () => void): void => {
  const { mask } = vectorOf(k)
  if (mask === undefined) write()
  else k.w.if(laneOf('bool', mask, lane), write)
}

/** Lanes that store into one element: in order, so the last active one wins. */
const storeLast = (k: KernelState, s: Store, parts: Parts): void => {
  const { extent } = vectorOf(k)
  const d = k.home(s.buffer).decl.dtype
  const held = parts.map(p => k.hold(p, 'v128'))
  for (let lane = 0; lane < extent; lane++)
    whereActive(k, lane, () => storeElement(k, s.buffer, s.indices, laneOf(d, held, lane)))
}

/** Lanes that may share an element take turns. */
const accumulateLanes = (k: KernelState, s: Accumulate): void => {
  const { extent } = vectorOf(k)
  const home = k.home(s.buffer)
  const d = home.decl.dtype
  const op = combinerOp[s.reducer]
  const held = writeVector(k, s.value).map(p => k.hold(p, 'v128'))
  if (home.kind === 'locals' || !s.indices.some(i => indexVaries(k, i))) {
    for (let lane = 0; lane < extent; lane++)
      whereActive(k, lane, () =>
        storeElement(
          k,
          s.buffer,
          s.indices,
          spellBinary(op, d, element(k, s.buffer, s.indices), laneOf(d, held, lane), k),
        ),
      )
    return
  }
  laneAddresses(k, s.buffer, s.indices, extent).forEach((address, lane) => {
    whereActive(k, lane, () => {
      const at = address()
      const sum = spellBinary(op, d, loadScalar(d, at, k), laneOf(d, held, lane), k)
      k.w.line(storeScalar(d, at, sum, k))
    })
  })
}
