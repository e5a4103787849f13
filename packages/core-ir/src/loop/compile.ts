/** @file Compiles the statements of a kernel to closures over the running machine. */
import { QuernError } from '@quern/artifact'
import { visitAtoms } from '../index/index-expr.ts'
import { compileIndex, compileScalar } from '../scalar/evaluate.ts'
import { combinerFunction } from '../scalar/reduce.ts'
import { compileAlloc } from './compile-alloc.ts'
import { compileLoop } from './compile-loop.ts'
import type { Kernel, Stmt } from './kernel.ts'
import { type Machine, axisNames } from './machine.ts'
import type { Memory } from './memory.ts'
import {
  type Binding,
  type Code,
  type Compiler,
  type Scope,
  type Steps,
  readElement,
  resolver,
  unreachable,
} from './scope.ts'
import { visitStmts } from './walk.ts'

export interface Compiled {
  readonly run: () => void
  readonly steps: (() => Steps) | undefined
  /** How many axes, names and buffers an invocation holds. */
  readonly slots: number
  /** Extents of the workgroup and thread axes in x, y and z. */
  readonly grid: readonly number[]
  readonly threads: readonly number[]
}

export const compileBody = (
  kernel: Kernel,
  machine: Machine,
  symbols: ReadonlyMap<string, number>,
  params: ReadonlyMap<string, Memory>,
  racing: boolean,
  lanes: ReadonlySet<string>,
): Compiled => {
  let slots = 0
  const compiler: Compiler = { machine, racing, lanes, slot: () => slots++ }
  const scope: Scope = new Map<string, Binding>([
    ...[...symbols].map(([name, value]): [string, Binding] => [name, { kind: 'symbol', value }]),
    ...[...params].map(([name, memory]): [string, Binding] => [name, { kind: 'buffer', memory: () => memory }]),
  ])
  const code = block(kernel.body, compiler, scope)
  const extents = (kind: 'workgroup' | 'thread'): number[] =>
    axisNames.map(n => launchExtent(kernel, `${kind}.${n}`, compiler, scope))
  return {
    run: code.run ?? unreachable,
    steps: code.steps,
    slots,
    grid: extents('workgroup'),
    threads: extents('thread'),
  }
}

/** The largest extent among the axes of one tag; it must be known before the kernel starts. */
const launchExtent = (kernel: Kernel, tag: string, compiler: Compiler, scope: Scope): number => {
  let extent = 1
  visitStmts(kernel.body, s => {
    if (s.kind !== 'for' || s.tag !== tag) return
    visitAtoms(s.extent, atom => {
      if (atom.kind === 'value' || (atom.kind === 'var' && !scope.has(atom.name)))
        throw new QuernError(
          'loop/extent-not-uniform',
          `the extent of ${s.axis} in ${kernel.name} must depend on symbols only`,
          { axis: s.axis },
        )
    })
    extent = Math.max(extent, compileIndex(s.extent, resolver(compiler, scope))())
  })
  return extent
}

const block = (stmts: readonly Stmt[], compiler: Compiler, outer: Scope): Code => {
  const scope = new Map(outer)
  const codes = stmts.map(s => statement(s, compiler, scope))
  if (codes.some(c => c.steps !== undefined))
    return {
      *steps() {
        for (const code of codes) {
          if (code.steps === undefined) code.run()
          else yield* code.steps()
        }
      },
    }
  const runs = codes.map(c => c.run ?? unreachable)
  const [only] = runs
  if (runs.length === 1 && only !== undefined) return { run: only }
  return {
    run: () => {
      for (const run of runs) run()
    },
  }
}

/** Compiles one statement; what it declares is added to the scope. */
const statement = (stmt: Stmt, compiler: Compiler, scope: Map<string, Binding>): Code => {
  const { machine } = compiler
  const names = resolver(compiler, scope)
  const id = machine.idOf(stmt)
  switch (stmt.kind) {
    case 'for':
      return compileLoop(stmt, id, compiler, scope, inner => block(stmt.body, compiler, inner))
    case 'alloc':
      return compileAlloc(stmt, compiler, scope)
    case 'let': {
      const slot = compiler.slot()
      const value = compileScalar(stmt.value, names)
      scope.set(stmt.name, { kind: 'let', slot })
      return {
        run: () => {
          machine.statement = id
          machine.current.refs[slot] = value()
        },
      }
    }
    case 'store':
    case 'accumulate':
      return write(stmt, id, compiler, scope)
    case 'if': {
      const condition = compileScalar(stmt.condition, names)
      const holds = (): boolean => {
        machine.statement = id
        return condition() !== 0
      }
      const then = block(stmt.then, compiler, scope)
      const otherwise = block(stmt.else, compiler, scope)
      const { run: runThen } = then
      const { run: runElse } = otherwise
      if (runThen !== undefined && runElse !== undefined) return { run: () => (holds() ? runThen() : runElse()) }
      return {
        *steps() {
          const taken = holds() ? then : otherwise
          if (taken.steps === undefined) taken.run()
          else yield* taken.steps()
        },
      }
    }
    case 'fail': {
      const at = compileIndex(stmt.at, names)
      return {
        run: () => {
          machine.statement = id
          machine.fail(stmt.reason, at())
        },
      }
    }
    case 'barrier':
      return {
        *steps() {
          yield id
        },
      }
  }
}

type Write = Extract<Stmt, { kind: 'store' | 'accumulate' }>

const write = (stmt: Write, id: number, compiler: Compiler, scope: Scope): Code => {
  const { machine } = compiler
  const names = resolver(compiler, scope)
  const target = scope.get(stmt.buffer)
  if (target?.kind !== 'buffer')
    throw new QuernError('loop/unknown-name', `${machine.kernel.name} has no buffer named ${stmt.buffer} here`, {
      name: stmt.buffer,
    })
  const { memory } = target
  const getters = stmt.indices.map(i => compileIndex(i, names))
  const value = compileScalar(stmt.value, names)
  const step = stmt.kind === 'accumulate' ? combinerFunction(stmt.reducer, stmt.value.dtype) : undefined
  const indices = getters.map(() => 0)
  return {
    run: () => {
      machine.statement = id
      const next = value()
      for (let d = 0; d < getters.length; d++) indices[d] = getters[d]?.() ?? 0
      const m = memory()
      const at = m.locate(indices, true)
      if (typeof at !== 'number') return machine.faulted(at, m, indices)
      if (step === undefined) {
        m.log?.write(at, indices)
        m.lanes?.write(at, indices)
        m.set(at, next)
        return
      }
      const before = readElement(machine, m, at, indices)
      m.log?.write(at, indices)
      m.lanes?.write(at, indices)
      m.set(at, step(before, next))
    },
  }
}
