/** @file Writes loops: the serial ones, a member's share of the parallel ones, and the straight line of a vector loop. */
import { type Scalar, type Stmt, axisRange, ix, rangeOf, scalarsOf, visitStmts } from '@quern/core-ir'
import { defect } from '../defect.ts'
import { repOf } from '../spelling/values.ts'
import { type Chunk, holdsText } from '../text/function-writer.ts'
import { addI32, constantOf, get, i32, mulI32 } from '../text/wat.ts'
import { allChildren, boundIn, countUses, hasLoop, writtenIn } from './analysis.ts'
import { writeIndexScalar, writeScalar } from './scalars.ts'
import { type KernelState, type Scope, type Vector, openVector } from './state.ts'
import { laneKey } from './lanes.ts'
import { writeVector } from './vectors.ts'

export type For = Extract<Stmt, { kind: 'for' }>
type WriteBlock = (k: KernelState, stmts: readonly Stmt[]) => void

/** Locals of a team member; undefined where the module has no threads. */
export interface Member {
  readonly thread: string
  readonly team: string
}

export const writeFor = (k: KernelState, s: For, member: Member | undefined, body: WriteBlock): void => {
  if (s.tag === 'vector') return writeVectorLoop(k, s, body)
  if (s.tag.startsWith('workgroup') || s.tag.startsWith('thread'))
    throw defect(`axis ${s.axis} is a ${s.tag}, and wasm has none`)
  const range = rangeOf(s.extent, k.ranges)
  if (range.max <= 0) return
  const extent = hold(k, writeIndexScalar(k, s.extent))
  const shared = s.tag === 'parallel' && member !== undefined && !k.scopes.some(x => x.parallel)
  const { from, to } = shared ? share(k, extent, member) : { from: i32(0), to: extent }
  const write = (): void => writeSerial(k, s, from, to, shared, body)
  if (shared) k.w.if(`(i32.lt_s ${from} ${to})`, write)
  else if (range.min >= 1) write()
  else k.w.if(`(i32.gt_s ${extent} (i32.const 0))`, write)
}

/** A member's share of a parallel axis: equal runs, the last ones shorter or empty. */
const share = (k: KernelState, extent: string, { thread, team }: Member): { from: string; to: string } => {
  const run = k.hold(`(i32.div_u (i32.add ${extent} (i32.sub ${get(team)} (i32.const 1))) ${get(team)})`, 'i32')
  const smaller = (x: string): string => {
    const held = k.hold(x, 'i32')
    return k.hold(`(select ${held} ${extent} (i32.lt_s ${held} ${extent}))`, 'i32')
  }
  const from = smaller(`(i32.mul ${run} ${get(thread)})`)
  return { from, to: smaller(`(i32.add ${from} ${run})`) }
}

const hold = (k: KernelState, x: string): string => (constantOf(x) === undefined ? k.hold(x, 'i32') : x)

const writeSerial = (k: KernelState, s: For, from: string, to: string, parallel: boolean, body: WriteBlock): void => {
  const written = writtenIn(s.body)
  for (const name of [...written, ...boundIn(s.body)]) k.forget(name)
  k.ranges.set(s.axis, axisRange(s.extent, k.ranges))
  const counter = k.w.local(s.axis, 'i32')
  const innermost = !hasLoop(s.body)
  const before = k.w.chunk()
  k.framed(new Map(), () => {
    hoist(k, s, written)
    const starts = k.w.chunk()
    const once = constantOf(from) === 0 && constantOf(to) === 1
    const label = k.w.label(s.axis)
    const write = (): void => {
      const whole = k.w.chunk()
      const top = { depth: whole.depth, lines: [] },
        bottom = { depth: whole.depth, lines: [] }
      const scope: Scope = {
        level: k.scopes.length,
        axis: s.axis,
        counter,
        start: from,
        innermost: innermost && !once,
        parallel: parallel || k.scope.parallel,
        before,
        top,
        bottom,
        running: [],
        partials: new Map(),
      }
      k.w.into(whole, () => {
        k.w.append(top)
        k.scopes.push(scope)
        k.framed(countUses(s.body), () => body(k, s.body))
        k.scopes.pop()
        k.w.append(bottom)
      })
      // A pointer that runs along can count as well, where nothing else asks how often the loop went round.
      const [first] = scope.running
      const count =
        first !== undefined && !holdsText(whole, get(counter)) ? runsTo(k, before, first, from, to) : undefined
      if (count !== undefined) {
        k.w.drop(counter)
        return k.w.line(`(br_if ${label} ${count})`)
      }
      k.w.into(starts, () => k.w.set(counter, from))
      if (once) return
      const next = `(local.tee ${counter} ${addI32(get(counter), i32(1))})`
      k.w.line(`(br_if ${label} (i32.lt_s ${next} ${to}))`)
    }
    if (once) write()
    else k.w.block(`loop ${label}`, write)
  })
  for (const name of written) k.forget(name)
}

/** The test whether a running pointer has not yet reached what it is after the last round; a loop runs at least once. */
const runsTo = (
  k: KernelState,
  before: Chunk,
  { pointer, step }: Scope['running'][number],
  from: string,
  to: string,
): string | undefined => {
  const by = constantOf(step)
  if (by === undefined || by === 0) return undefined
  const rounds = constantOf(from) === 0 ? to : `(i32.sub ${to} ${from})`
  const end = k.w.into(before, () => k.w.hold(addI32(get(pointer), mulI32(rounds, step)), 'i32', 'end'))
  return `(i32.ne ${get(pointer)} ${end})`
}

/**
 * Loads that every iteration does, of memory that no iteration writes, are done once before the loop. The loop runs at
 * least once where this is written, so nothing is read that the loop would not read.
 */
const hoist = (k: KernelState, s: For, written: ReadonlySet<string>): void => {
  if (k.vector !== undefined) return
  const bound = new Set([s.axis, ...boundIn(s.body)])
  const consider = (x: Scalar, vector: Vector | undefined): void => {
    const { variables, buffers, refs } = k.mentions(x)
    if (!some(buffers, name => k.homes.get(name)?.kind === 'memory') || k.held(x.key) !== undefined) return
    const changes = (name: string): boolean => bound.has(name) || written.has(name) || name === vector?.axis
    if (some(variables, changes) || some(buffers, changes) || some(refs, changes)) {
      for (const c of evaluatedFirst(x)) consider(c, vector)
      return
    }
    if (vector === undefined) k.remember(x.key, x, [k.hold(writeScalar(k, x), repOf[x.dtype])])
    else {
      k.vector = vector
      const parts = writeVector(k, x).map(p => k.hold(p, 'v128'))
      k.vector = undefined
      k.remember(laneKey(vector.extent, x), x, parts)
    }
  }
  const always = (stmts: readonly Stmt[], vector: Vector | undefined): void => {
    for (const stmt of stmts) {
      if (stmt.kind === 'barrier') return
      for (const x of scalarsOf(stmt)) consider(x, vector)
      if (stmt.kind !== 'for') continue
      if (stmt.tag === 'vector' && ix.isConst(stmt.extent)) always(stmt.body, openVector(stmt.axis, stmt.extent.value))
      else if (rangeOf(stmt.extent, k.ranges).min >= 1) always(stmt.body, vector)
    }
  }
  always(s.body, undefined)
}

const some = (names: ReadonlySet<string>, holds: (name: string) => boolean): boolean => {
  for (const name of names) if (holds(name)) return true
  return false
}

/** The operands that are evaluated whatever the others are: under a guard that is the guard alone. */
const evaluatedFirst = (x: Scalar): readonly Scalar[] =>
  x.kind === 'load' && x.guard !== undefined ? [x.guard] : allChildren(x)

const writeVectorLoop = (k: KernelState, s: For, body: WriteBlock): void => {
  if (!ix.isConst(s.extent)) throw defect(`vector axis ${s.axis} has no constant extent`)
  if (k.vector !== undefined) throw defect(`vector axis ${s.axis} is inside another one`)
  visitStmts(s.body, inner => {
    if (inner.kind === 'for' || inner.kind === 'barrier') throw defect(`vector axis ${s.axis} holds a ${inner.kind}`)
  })
  k.ranges.set(s.axis, axisRange(s.extent, k.ranges))
  k.vector = openVector(s.axis, s.extent.value)
  body(k, s.body)
  k.vector = undefined
}
