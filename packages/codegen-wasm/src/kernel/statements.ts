/** @file Writes the statements of a kernel, one kind a case. */
import { type Stmt } from '@quern/core-ir'
import { defect } from '../defect.ts'
import { repOf } from '../spelling/values.ts'
import { countUses } from './analysis.ts'
import { type Member, writeFor } from './loops.ts'
import { writeIndexScalar, writeScalar } from './scalars.ts'
import type { KernelState } from './state.ts'
import { writeAccumulate, writeStore } from './stores.ts'
import { anyTrue, indexVaries, laneOf, varies, vectorOf, withMask } from './lanes.ts'
import { writeIndexIn } from './vector-loads.ts'
import { sharedVector, writeVector } from './vectors.ts'

/** What surrounds the statements of one kernel. */
export interface Surroundings {
  readonly member: Member | undefined
  /** Meets the team; undefined where a kernel runs alone. */
  readonly barrier: (() => void) | undefined
  /** Records a failure: the reason's word and an i32 expression. */
  readonly fail: (reason: Extract<Stmt, { kind: 'fail' }>['reason'], at: string) => void
}

export const writeBlock = (k: KernelState, around: Surroundings, stmts: readonly Stmt[]): void => {
  for (const s of stmts) writeStatement(k, around, s)
}

const writeStatement = (k: KernelState, around: Surroundings, s: Stmt): void => {
  switch (s.kind) {
    case 'for':
      return writeFor(k, s, around.member, (_, body) => writeBlock(k, around, body))
    case 'alloc':
      if (s.space === 'shared') throw defect(`${s.buffer.name} is shared memory, and wasm has none`)
      return
    case 'let':
      return writeLet(k, s)
    case 'store':
      return writeStore(k, s)
    case 'accumulate':
      return writeAccumulate(k, s)
    case 'if':
      return writeIf(k, around, s)
    case 'fail':
      return writeFail(k, around, s)
    case 'barrier':
      if (around.barrier === undefined) return
      k.forgetAll()
      return around.barrier()
  }
}

const writeLet = (k: KernelState, s: Extract<Stmt, { kind: 'let' }>): void => {
  const d = s.value.dtype
  const lanes = varies(k, s.value)
  // A name bound anew may now differ between lanes, or no longer.
  if (k.lets.has(s.name)) k.vector?.varying.clear()
  // What all lanes share is used as a vector as a rule, and a load does that at no cost.
  const everywhere = k.vector === undefined || lanes ? undefined : sharedVector(k, s.value)
  if (everywhere !== undefined) {
    k.forget(s.name)
    k.lets.set(s.name, { lanes: 1, dtype: d, names: [], everywhere })
    return
  }
  const values = lanes ? writeVector(k, s.value) : [writeScalar(k, s.value)]
  const names = values.map(v => {
    const name = k.w.local(s.name, lanes ? 'v128' : repOf[d])
    k.w.set(name, v)
    return name
  })
  k.forget(s.name)
  k.lets.set(s.name, { lanes: lanes ? vectorOf(k).extent : 1, dtype: d, names })
}

const writeIf = (k: KernelState, around: Surroundings, s: Extract<Stmt, { kind: 'if' }>): void => {
  const arm = (stmts: readonly Stmt[]) => (): void => k.framed(countUses(stmts), () => writeBlock(k, around, stmts))
  if (!varies(k, s.condition)) {
    k.w.if(writeScalar(k, s.condition), arm(s.then), s.else.length === 0 ? undefined : arm(s.else))
    return
  }
  // An arm runs where any lane takes it, and only those lanes store.
  const condition = writeVector(k, s.condition).map(p => k.hold(p, 'v128'))
  const branch = (mask: readonly string[], stmts: readonly Stmt[]): void => {
    if (stmts.length > 0) withMask(k, mask, active => k.w.if(anyTrue(active, vectorOf(k).extent), arm(stmts)))
  }
  branch(condition, s.then)
  if (s.else.length > 0)
    branch(
      condition.map(p => k.hold(`(v128.not ${p})`, 'v128')),
      s.else,
    )
}

const writeFail = (k: KernelState, around: Surroundings, s: Extract<Stmt, { kind: 'fail' }>): void => {
  const { vector } = k
  const mask = vector?.mask
  if (vector === undefined || (mask === undefined && !indexVaries(k, s.at))) {
    around.fail(s.reason, writeIndexScalar(k, s.at))
    return
  }
  // The first failure is kept, so lanes speak in order.
  for (let lane = 0; lane < vector.extent; lane++) {
    const say = (): void => around.fail(s.reason, writeIndexIn(k, s.at, lane))
    if (mask === undefined) say()
    else k.w.if(laneOf('bool', mask, lane), say)
  }
}
