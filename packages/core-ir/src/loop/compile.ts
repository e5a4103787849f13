/** @file Compiles the statements of a kernel to closures over the running machine. */
import { QuernError } from '@quern/artifact'
import { type Index, rowMajorStrides, visitAtoms } from '../index/index-expr.ts'
import { type ScalarResolver, compileIndex, compileScalar } from '../scalar/evaluate.ts'
import { combinerFunction } from '../scalar/reduce.ts'
import type { ScalarValue } from '../scalar/value.ts'
import type { BufferDecl, Kernel, Stmt } from './kernel.ts'
import { type Machine, axisNames } from './machine.ts'
import { type Extents, Memory, spanOf } from './memory.ts'
import { LaneShadow } from './lanes.ts'
import { Shadow } from './shadow.ts'
import { visitStmts } from './walk.ts'

type Steps = Generator<number, void>
/** Code that holds a barrier is a generator that yields the barrier's statement. */
type Code =
  | { readonly run: () => void; readonly steps?: undefined }
  | { readonly run?: undefined; readonly steps: () => Steps }

export interface Compiled {
  readonly run: () => void
  readonly steps: (() => Steps) | undefined
  /** How many axes, names and buffers an invocation holds. */
  readonly slots: number
  /** Extents of the workgroup and thread axes in x, y and z. */
  readonly grid: readonly number[]
  readonly threads: readonly number[]
}

type Binding =
  | { readonly kind: 'symbol'; readonly value: number }
  | { readonly kind: 'axis' | 'let'; readonly slot: number }
  | { readonly kind: 'buffer'; readonly memory: () => Memory }
type Scope = ReadonlyMap<string, Binding>

interface Compiler {
  readonly machine: Machine
  readonly racing: boolean
  /** Local buffers that lanes share and write. */
  readonly lanes: ReadonlySet<string>
  slot(): number
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

const unreachable = (): never => {
  throw new Error('code with a barrier runs in steps')
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

const resolver = ({ machine }: Compiler, scope: Scope): ScalarResolver => {
  const find = <K extends Binding['kind']>(name: string, ...kinds: readonly K[]): Extract<Binding, { kind: K }> => {
    const found = scope.get(name)
    const matches = (b: Binding): b is Extract<Binding, { kind: K }> => (kinds as readonly string[]).includes(b.kind)
    if (found !== undefined && matches(found)) return found
    throw new QuernError(
      'loop/unknown-name',
      `${machine.kernel.name} has no ${kinds.join(' or ')} named ${name} here`,
      { name },
    )
  }
  return {
    variable: name => {
      const found = find<'symbol' | 'axis' | 'let'>(name, 'axis', 'symbol')
      if (found.kind === 'symbol') {
        const { value } = found
        return () => value
      }
      const { slot } = found
      return () => machine.current.axes[slot] ?? 0
    },
    ref: name => {
      const { slot } = find<'axis' | 'let'>(name, 'let')
      return () => machine.current.refs[slot] ?? 0
    },
    load: name => {
      const { memory } = find(name, 'buffer')
      return indices => {
        const m = memory()
        const at = m.locate(indices, false)
        if (typeof at !== 'number') return machine.faulted(at, m, indices)
        return readElement(machine, m, at, indices)
      }
    },
  }
}

const readElement = (machine: Machine, m: Memory, at: number, indices: readonly number[]): ScalarValue => {
  m.log?.read(at, indices)
  m.lanes?.read(at, indices)
  if (!m.isWritten(at)) {
    if (m.log === undefined) return machine.faulted('uninitialised', m, indices)
    machine.readTooEarly(m, indices)
  }
  return m.get(at)
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
      return loop(stmt, id, compiler, scope)
    case 'alloc':
      return alloc(stmt, compiler, scope)
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

/** Which iterations of a loop this invocation runs, and under which agent. */
const loop = (stmt: Extract<Stmt, { kind: 'for' }>, id: number, compiler: Compiler, scope: Scope): Code => {
  const { machine } = compiler
  const slot = compiler.slot()
  const extent = compileIndex(stmt.extent, resolver(compiler, scope))
  const body = block(stmt.body, compiler, new Map([...scope, [stmt.axis, { kind: 'axis', slot }]]))
  const { run, steps } = body
  const { tag } = stmt
  const count = (): number => {
    machine.statement = id
    return extent()
  }
  switch (tag) {
    case 'serial':
    case 'unroll':
      if (steps !== undefined)
        return {
          *steps() {
            const n = count()
            const { axes } = machine.current
            for (let i = 0; i < n; i++) {
              axes[slot] = i
              yield* steps()
            }
          },
        }
      return {
        run: () => {
          const n = count()
          const { axes } = machine.current
          for (let i = 0; i < n; i++) {
            axes[slot] = i
            run()
          }
        },
      }
    case 'vector':
      if (run === undefined)
        throw new QuernError(
          'loop/vector-body',
          `${machine.kernel.name} has a barrier in the vector axis ${stmt.axis}`,
          {
            axis: stmt.axis,
          },
        )
      return {
        run: () => {
          const n = count()
          const { axes } = machine.current
          machine.enterVector()
          for (let i = 0; i < n; i++) {
            axes[slot] = i
            machine.lane.at = i
            run()
          }
          machine.leaveVector()
        },
      }
    case 'parallel':
      if (run === undefined)
        throw new QuernError(
          'loop/barrier-in-parallel',
          `${machine.kernel.name} has a barrier inside the parallel axis ${stmt.axis}`,
          { axis: stmt.axis },
        )
      return {
        run: () => {
          const n = count()
          const { axes, member, team, agent } = machine.current
          const inside = machine.agent !== agent
          const first = machine.agentsOf(id, n)
          const from = inside ? 0 : Math.floor((n * member) / team)
          const to = inside ? n : Math.floor((n * (member + 1)) / team)
          for (let i = from; i < to; i++) {
            axes[slot] = i
            if (!inside) machine.agent = first + i
            run()
          }
          if (!inside) machine.agent = agent
        },
      }
    default: {
      const own = (): boolean => {
        const at = machine.current.thread[tag] ?? machine.group[tag] ?? 0
        machine.current.axes[slot] = at
        return at < count()
      }
      if (steps !== undefined)
        return {
          *steps() {
            if (own()) yield* steps()
          },
        }
      return {
        run: () => {
          if (own()) run()
        },
      }
    }
  }
}

const alloc = (stmt: Extract<Stmt, { kind: 'alloc' }>, compiler: Compiler, scope: Map<string, Binding>): Code => {
  const { machine } = compiler
  const { buffer, space } = stmt
  const extents = extentsGetter(buffer, resolver(compiler, scope))
  if (space !== 'shared') {
    const slot = compiler.slot()
    const own = (): Memory | undefined => machine.current.memories[slot]
    scope.set(buffer.name, { kind: 'buffer', memory: () => own() ?? missing(buffer) })
    return {
      run: () => {
        let memory = own()
        if (memory === undefined) {
          memory = new Memory(buffer.name, buffer.dtype, extents())
          machine.current.memories[slot] = memory
        } else memory.renew(extents())
        watchLanes(memory, compiler)
      },
    }
  }
  // One for each workgroup: whoever comes first makes it anew.
  let shared: Memory | undefined
  let owner = 0
  scope.set(buffer.name, { kind: 'buffer', memory: () => shared ?? missing(buffer) })
  return {
    run: () => {
      if (owner === machine.workgroup && shared !== undefined) return
      owner = machine.workgroup
      const at = extents()
      if (shared === undefined) shared = new Memory(buffer.name, buffer.dtype, at)
      else shared.renew(at)
      // Workgroups do not share it, so each starts with clean shadow memory.
      watchLanes(shared, compiler)
      if (compiler.racing) shared.log = new Shadow(spanOf(at), machine).logOf(buffer.name)
    },
  }
}

const watchLanes = (memory: Memory, { lanes, machine }: Compiler): void => {
  if (!lanes.has(memory.name)) return
  // Memory whose extents vary is watched anew each time.
  if (memory.lanes === undefined || memory.resized)
    memory.lanes = new LaneShadow(memory.size, machine).logOf(memory.name)
}

const missing = (buffer: BufferDecl): never => {
  throw new QuernError('loop/unknown-name', `${buffer.name} is used before it is allocated`, { name: buffer.name })
}

const extentsGetter = (decl: BufferDecl, names: ScalarResolver): (() => Extents) => {
  const all = (xs: readonly Index[]): (() => number)[] => xs.map(x => compileIndex(x, names))
  const shape = all(decl.shape)
  const strides = all(decl.strides ?? rowMajorStrides(decl.shape))
  const [offset] = all(decl.offset === undefined ? [] : [decl.offset])
  const get = (): Extents => ({ shape: shape.map(f => f()), strides: strides.map(f => f()), offset: offset?.() ?? 0 })
  const fixed = [...decl.shape, ...(decl.strides ?? []), ...(decl.offset === undefined ? [] : [decl.offset])]
  if (fixed.some(x => x.kind !== 'const')) return get
  const once = get()
  return () => once
}
