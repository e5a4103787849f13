/** @file The state of a running kernel: the invocation that runs now, its statement, barriers passed, and the status. */
import { QuernError } from '@quern/artifact'
import type { DType } from '@quern/artifact'
import type { ScalarValue } from '../scalar/value.ts'
import type { KernelStatus } from './interpret.ts'
import type { AxisTag, Kernel, Stmt } from './kernel.ts'
import type { Fault, Memory } from './memory.ts'
import { printStatement } from './print.ts'
import type { Race } from './shadow.ts'
import { visitStmts } from './walk.ts'

/** A thread of a workgroup, or a member of a team. */
export interface Invocation {
  /** Values of axes, by slot. */
  readonly axes: number[]
  /** Values of `let` names, by slot. */
  readonly refs: ScalarValue[]
  /** Private and register memory, by slot. */
  readonly memories: (Memory | undefined)[]
  /** Position in the team, and the team's size. */
  readonly member: number
  readonly team: number
  /** Its share of the thread axes. */
  readonly thread: Readonly<Record<string, number>>
  agent: number
}

export const axisNames = ['x', 'y', 'z'] as const

export class Machine {
  readonly kernel: Kernel
  status: KernelStatus = { reason: 'ok', index: 0 }
  current: Invocation
  agent = 1
  epoch = 0
  workgroup = 1
  statement = 0
  /** The running lane of a vector axis; `run` counts runs of vector loops, and is 0 outside them. */
  readonly lane = { run: 0, at: 0 }
  private vectorRuns = 0
  /** The position of the running workgroup, by tag. */
  group: Readonly<Record<string, number>> = {}
  private readonly statements: readonly Stmt[]
  private readonly ids: ReadonlyMap<Stmt, number>
  private readonly agents = new Map<string, number>()
  private lastAgent = 1 << 16
  private suspect: QuernError | undefined

  constructor(kernel: Kernel) {
    this.kernel = kernel
    const statements: Stmt[] = []
    visitStmts(kernel.body, s => statements.push(s))
    this.statements = statements
    this.ids = new Map(statements.map((s, i) => [s, i]))
    this.current = { axes: [], refs: [], memories: [], member: 0, team: 1, thread: {}, agent: 1 }
  }

  idOf(stmt: Stmt): number {
    return this.ids.get(stmt) ?? 0
  }

  invocation(
    index: number,
    count: number,
    program: { readonly slots: number; readonly threads: readonly number[] },
  ): Invocation {
    return {
      axes: Array.from({ length: program.slots }, () => 0),
      refs: Array.from({ length: program.slots }, () => 0),
      memories: [],
      member: index,
      team: count,
      thread: positions('thread', index, program.threads),
      agent: index + 1,
    }
  }

  resume(invocation: Invocation | undefined): void {
    if (invocation === undefined) throw new RangeError('no such invocation')
    this.current = invocation
    this.agent = invocation.agent
  }

  enterWorkgroup(index: number, grid: readonly number[]): void {
    this.workgroup = index + 1
    this.group = positions('workgroup', index, grid)
  }

  /** Every invocation has reached a barrier, or its end. */
  nextEpoch(): void {
    this.epoch++
    if (this.suspect !== undefined) throw this.suspect
  }

  /**
   * Shared memory that nobody wrote yet was read. If another invocation writes it before the next barrier, that is a race,
   * and is reported as one; else it is reported at the barrier.
   */
  readTooEarly(memory: Memory, indices: readonly number[]): void {
    this.suspect ??= this.fault('uninitialised', memory, indices)
  }

  /** The first of the agents that stand for the iterations of a parallel loop of this extent: the same each time it runs. */
  agentsOf(statement: number, extent: number): number {
    const key = `${statement}:${extent}`
    const known = this.agents.get(key)
    if (known !== undefined) return known
    const first = this.lastAgent + 1
    this.lastAgent += extent
    this.agents.set(key, first)
    return first
  }

  enterVector(): void {
    this.lane.run = ++this.vectorRuns
  }
  leaveVector(): void {
    this.lane.run = 0
  }

  fail(reason: Exclude<KernelStatus['reason'], 'ok'>, index: number): void {
    if (this.status.reason === 'ok') this.status = { reason, index }
  }

  raced(buffer: string, { earlier, kind, indices, between }: Race): never {
    const why = between === 'lanes' ? 'by another lane of the same vector' : 'with no barrier between'
    const [first, second] = [this.text(earlier), this.text(this.statement)]
    throw new QuernError(
      'loop/race',
      `${this.kernel.name} races on ${buffer}[${indices.join(', ')}]: ${kind}, ${why}\n  ${first}\n  ${second}`,
      { kernel: this.kernel.name, buffer, element: [...indices], race: kind, statements: [first, second] },
    )
  }

  faulted(fault: Fault, memory: Memory, indices: readonly number[]): never {
    throw this.suspect ?? this.fault(fault, memory, indices)
  }

  private fault(fault: Fault, memory: Memory, indices: readonly number[]): QuernError {
    const statement = this.text(this.statement)
    const says = fault === 'out-of-bounds' ? 'is outside the buffer' : 'is read before anything was written there'
    return new QuernError(
      `loop/${fault}`,
      `${this.kernel.name}: ${memory.name}[${indices.join(', ')}] ${says}\n  ${statement}`,
      { kernel: this.kernel.name, buffer: memory.name, element: [...indices], statement },
    )
  }

  diverged(at: readonly number[]): never {
    const where = at.map(id => (id < 0 ? 'the end' : `${this.text(id)} (statement ${id})`))
    throw new QuernError(
      'loop/barrier-divergence',
      `${this.kernel.name}: some invocations reach ${where.join(', others ')}`,
      { kernel: this.kernel.name, reached: where },
    )
  }

  private text(id: number): string {
    const stmt = this.statements[id]
    const dtypes = new Map<string, DType>(this.kernel.params.map(p => [p.name, p.dtype]))
    for (const s of this.statements) {
      if (s.kind === 'alloc') dtypes.set(s.buffer.name, s.buffer.dtype)
      if (s.kind === 'let') dtypes.set(s.name, s.value.dtype)
    }
    return stmt === undefined ? 'nothing' : (printStatement(stmt, name => dtypes.get(name)).split('\n')[0] ?? '')
  }
}

/** The coordinates of the i-th of x·y·z invocations, by tag. */
const positions = (
  kind: 'workgroup' | 'thread',
  index: number,
  extents: readonly number[],
): Record<AxisTag | string, number> => {
  const at: Record<string, number> = {}
  let rest = index
  axisNames.forEach((name, i) => {
    const extent = extents[i] ?? 1
    at[`${kind}.${name}`] = rest % extent
    rest = Math.floor(rest / extent)
  })
  return at
}
