/**
 * @file Makes a kernel ready for code generation: ops that are not basic become `let`s of basic ones before their statement,
 * and what a list of statements computes or loads more than once is named once. A value that reads a buffer is shared up to
 * the next statement that may write that buffer.
 */
import { type Index, fromScalar, mapAtoms, visitAtoms } from '../../index/index-expr.ts'
import type { Kernel, Stmt } from '../../loop/kernel.ts'
import { childBlocks, visitStmts } from '../../loop/walk.ts'
import { mapParts } from '../map-parts.ts'
import { combinerOp } from '../reduce.ts'
import { type Scalar, binary, childrenOf, load, ref } from '../scalar.ts'
import { StatementEmitter, isLeaf } from './emitter.ts'
import { expandOp, isExpanded } from './expansions.ts'
import { isHalf, widened } from './half-arithmetic.ts'

export interface ExpandOptions {
  /** Whether the target computes in half precision, or half floats are widened for every op and rounded after it. */
  readonly f16?: 'native' | 'via-f32'
}

export const expandKernel = (kernel: Kernel, { f16 = 'via-f32' }: ExpandOptions = {}): Kernel => {
  const names = new Names(kernel)
  const memory = new Memory(kernel)
  const state = { names, memory, now: new Versions(memory), widen: f16 === 'via-f32' }
  const body = new Block(state, new Map(), new Map()).expand(kernel.body)
  return { ...kernel, body }
}

/** Fresh names. */
class Names {
  private readonly taken = new Set<string>()
  private readonly next = new Map<string, number>()
  constructor(kernel: Kernel) {
    for (const s of kernel.symbols) this.taken.add(s.name)
    for (const p of kernel.params) this.taken.add(p.name)
    visitStmts(kernel.body, s => {
      if (s.kind === 'for') this.taken.add(s.axis)
      if (s.kind === 'alloc') this.taken.add(s.buffer.name)
      if (s.kind === 'let') this.taken.add(s.name)
    })
  }
  readonly fresh = (hint: string): string => {
    let n = this.next.get(hint) ?? 0,
      name = n === 0 ? hint : `${hint}_${n}`
    while (this.taken.has(name)) name = `${hint}_${++n}`
    this.next.set(hint, n + 1)
    this.taken.add(name)
    return name
  }
}

/** Which buffers values read, and which statements may write. */
class Memory {
  private readonly registers = new Set<string>()
  private readonly buffers: readonly string[]
  private readonly read = new WeakMap<Scalar, ReadonlySet<string>>()
  private readonly written = new WeakMap<Stmt, ReadonlySet<string>>()
  constructor(kernel: Kernel) {
    const buffers = kernel.params.map(p => p.name)
    visitStmts(kernel.body, s => {
      if (s.kind !== 'alloc') return
      buffers.push(s.buffer.name)
      if (s.space === 'register') this.registers.add(s.buffer.name)
    })
    this.buffers = buffers
  }
  isRegister(buffer: string): boolean {
    return this.registers.has(buffer)
  }
  readsOf(x: Scalar): ReadonlySet<string> {
    const known = this.read.get(x)
    if (known !== undefined) return known
    const found = new Set<string>(x.kind === 'load' ? [x.buffer] : [])
    for (const y of operandsOf(x)) for (const name of this.readsOf(y)) found.add(name)
    this.read.set(x, found)
    return found
  }
  /** The buffers that a statement, or one inside it, may write (a barrier: what others wrote becomes visible). */
  writesOf(stmt: Stmt): ReadonlySet<string> {
    const known = this.written.get(stmt)
    if (known !== undefined) return known
    const found = new Set(
      stmt.kind === 'store' || stmt.kind === 'accumulate'
        ? [stmt.buffer]
        : stmt.kind === 'barrier'
          ? this.buffers.filter(b => !this.registers.has(b))
          : childBlocks(stmt).flatMap(block => block.flatMap(inner => [...this.writesOf(inner)])),
    )
    this.written.set(stmt, found)
    return found
  }
}

/** How often each buffer was written so far: two values are the same when expression and versions agree. */
class Versions {
  private readonly memory: Memory
  private readonly writes = new Map<string, number>()
  constructor(memory: Memory) {
    this.memory = memory
  }
  keyOf(x: Scalar): string {
    const reads = [...this.memory.readsOf(x)]
    return reads.length === 0 ? x.key : `${x.key} @ ${reads.map(b => this.writes.get(b) ?? 0).join(' ')}`
  }
  /** What the statement may write is new. */
  pass(stmt: Stmt): void {
    for (const buffer of this.memory.writesOf(stmt)) this.writes.set(buffer, (this.writes.get(buffer) ?? 0) + 1)
  }
}

/** The scalars directly inside an index. */
const scalarsIn = (x: Index): Scalar[] => {
  const found: Scalar[] = []
  visitAtoms(x, atom => {
    if (atom.kind === 'value') found.push(atom.scalar)
  })
  return found
}
/** Children, and the scalars inside subscripts. */
const operandsOf = (x: Scalar): readonly Scalar[] => {
  if (x.kind === 'load') return [...x.indices.flatMap(scalarsIn), ...childrenOf(x)]
  return x.kind === 'index' ? scalarsIn(x.index) : childrenOf(x)
}
/** The scalars that a statement itself evaluates. */
const rootsOf = (s: Stmt): readonly Scalar[] => {
  switch (s.kind) {
    case 'for':
      return scalarsIn(s.extent)
    case 'let':
      return [s.value]
    case 'store':
    case 'accumulate':
      return [...s.indices.flatMap(scalarsIn), s.value]
    case 'if':
      return [s.condition]
    case 'fail':
      return scalarsIn(s.at)
    case 'alloc':
    case 'barrier':
      return []
  }
}

/** What all lists of statements share. */
interface State {
  readonly names: Names
  readonly memory: Memory
  /** At the statement that is being expanded. */
  readonly now: Versions
  readonly widen: boolean
}

/** One list of statements. `available` maps keys of values to names that hold them, `pure` those that expansions made. */
class Block {
  private readonly state: State
  private readonly available: Map<string, Scalar>
  private readonly pure: Map<string, Scalar>
  private readonly out: Stmt[] = []
  private readonly uses = new Map<string, number>()
  /** As `state.now`, but of this list alone: that is what the uses were counted by. */
  private within: Versions
  private readonly emitter: StatementEmitter
  constructor(state: State, available: Map<string, Scalar>, pure: Map<string, Scalar>) {
    this.state = state
    this.available = available
    this.pure = pure
    this.within = new Versions(state.memory)
    this.emitter = new StatementEmitter(this.out, state.names.fresh, pure)
  }

  expand(stmts: readonly Stmt[]): readonly Stmt[] {
    for (const s of stmts) {
      rootsOf(s).forEach(x => this.count(x))
      this.within.pass(s)
    }
    this.within = new Versions(this.state.memory)
    for (const s of stmts) {
      this.statement(s)
      this.state.now.pass(s)
      this.within.pass(s)
    }
    return this.out
  }

  private count(x: Scalar): void {
    if (isLeaf(x)) return
    const key = this.within.keyOf(x),
      before = this.uses.get(key) ?? 0
    this.uses.set(key, before + 1)
    if (before === 0) for (const y of operandsOf(x)) this.count(y)
  }

  private inner(stmts: readonly Stmt[]): readonly Stmt[] {
    return new Block(this.state, new Map(this.available), new Map(this.pure)).expand(stmts)
  }

  private statement(s: Stmt): void {
    switch (s.kind) {
      case 'for': {
        const extent = this.index(s.extent)
        // The body may see what an earlier trip wrote.
        this.state.now.pass(s)
        this.out.push({ ...s, extent, body: this.inner(s.body) })
        return
      }
      case 'if': {
        const condition = this.value(s.condition)
        const then = this.inner(s.then),
          otherwise = this.inner(s.else)
        this.out.push({ ...s, condition, then, else: otherwise })
        return
      }
      case 'let': {
        const value = this.value(s.value)
        this.out.push({ ...s, value })
        if (!isLeaf(value)) this.available.set(this.state.now.keyOf(s.value), ref(s.name, value.dtype))
        return
      }
      case 'store': {
        const indices = s.indices.map(i => this.index(i))
        this.out.push({ ...s, indices, value: this.value(s.value) })
        return
      }
      case 'accumulate': {
        const indices = s.indices.map(i => this.index(i))
        const value = this.value(s.value)
        this.out.push(
          this.state.widen && isHalf(value)
            ? {
                kind: 'store',
                buffer: s.buffer,
                indices,
                value: widened(binary(combinerOp[s.reducer], load(s.buffer, 'f16', indices), value)),
              }
            : { ...s, indices, value },
        )
        return
      }
      case 'fail':
        this.out.push({ ...s, at: this.index(s.at) })
        return
      case 'alloc':
      case 'barrier':
        this.out.push(s)
    }
  }

  private index(x: Index): Index {
    if (scalarsIn(x).length === 0) return x
    return mapAtoms(x, atom => (atom.kind === 'value' ? fromScalar(this.value(atom.scalar)) : undefined))
  }

  private value(x: Scalar): Scalar {
    if (isLeaf(x)) return x
    const key = this.state.now.keyOf(x)
    const known = this.available.get(key)
    if (known !== undefined) return known
    const expanded = (x.kind === 'unary' || x.kind === 'binary') && isExpanded(x.op)
    const made = expanded ? this.expansion(x) : this.rebuilt(x)
    const shared = expanded || ((this.uses.get(this.within.keyOf(x)) ?? 0) > 1 && this.isWorthNaming(x))
    if (!shared || isLeaf(made)) return made
    const name = this.named(x, made)
    this.available.set(key, name)
    return name
  }

  private expansion(x: Extract<Scalar, { kind: 'unary' | 'binary' }>): Scalar {
    const operands = (x.kind === 'unary' ? [x.operand] : [x.lhs, x.rhs]).map(y => {
      const value = this.value(y)
      return isLeaf(value) ? value : this.named(y, value)
    })
    if (!isExpanded(x.op)) throw new TypeError(`${x.op} is basic`)
    return expandOp(this.emitter, x.op, x.dtype, operands)
  }

  private rebuilt(x: Scalar): Scalar {
    if (x.kind === 'reduce') throw new TypeError('a kernel holds no reducer: lowering turns it into loops')
    const made = mapParts(
      x,
      y => this.value(y),
      i => this.index(i),
    )
    return this.state.widen ? widened(made) : made
  }

  /** Subscripts and registers cost nothing to repeat. */
  private isWorthNaming(x: Scalar): boolean {
    return x.kind !== 'index' && !(x.kind === 'load' && this.state.memory.isRegister(x.buffer))
  }

  private named(x: Scalar, value: Scalar): Scalar {
    const hint =
      x.kind === 'load'
        ? `${x.buffer}_at`
        : x.kind === 'unary' || x.kind === 'binary'
          ? `${x.op}_of`
          : x.kind === 'bitcast'
            ? 'bits'
            : 'value'
    const name = this.state.names.fresh(hint)
    this.out.push({ kind: 'let', name, value })
    return ref(name, value.dtype)
  }
}
