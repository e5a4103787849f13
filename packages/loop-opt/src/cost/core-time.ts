/** @file Cycles that one core needs for a scheduled kernel: what its loops hold, round by round. */
import { type DType, bytesOf } from '@quern/artifact'
import { type BufferDecl, type Index, type Kernel, type Scalar, type Stmt, ix, visitScalars } from '@quern/core-ir'
import { weightOf } from '../lower/weight.ts'
import { variablesOf } from '../schedule/tree.ts'
import type { Core, TargetInfo } from '../target/target-info.ts'
import { portsOf, spilled } from './cycles.ts'
import { type Sizes, inside, roundsOf, sizeOf } from './sizes.ts'

/** What a core is busy with: ports, waiting for sums, values that do not fit its registers, starting rounds. */
export type CorePart = 'arithmetic' | 'L1' | 'latency' | 'registers' | 'loops'

export interface CoreTime {
  readonly cycles: number
  /** The part that decides each round, summed up. */
  readonly parts: Readonly<Record<CorePart, number>>
  /** Bytes that instructions load and store. */
  readonly bytes: number
  /** Simple operations on elements. */
  readonly operations: number
}

export const coreTime = (kernel: Kernel, sizes: Sizes, { registers, lanes, core }: TargetInfo): CoreTime =>
  new Walk(kernel, core, registers, lanes).run(sizes)

/** Axes whose rounds stand one behind the other in one body. */
interface Written {
  readonly axis: string
  readonly rounds: number
}

class Body {
  operations = 0
  arithmetic = 0
  loads = 0
  stores = 0
  chain = 0
  bytes = 0
  /** Sums in registers: how many there are, and how often each is added to. */
  readonly sums = new Map<string, number>()
  readonly touched = new Set<string>()
  loops = 0
}

class Walk {
  private readonly decls = new Map<string, BufferDecl>()
  private readonly inRegisters = new Set<string>()
  private readonly parts: Record<CorePart, number> = { arithmetic: 0, L1: 0, latency: 0, registers: 0, loops: 0 }
  private bytes = 0
  private operations = 0
  private readonly kernel: Kernel
  private readonly core: Core | undefined
  private readonly registers: number
  private readonly lanes: number
  constructor(kernel: Kernel, core: Core | undefined, registers: number, lanes: number) {
    this.kernel = kernel
    this.core = core
    this.registers = registers
    this.lanes = lanes
    for (const p of kernel.params) this.decls.set(p.name, p)
  }

  run(sizes: Sizes): CoreTime {
    this.rounds(this.kernel.body, sizes, 1, undefined)
    const cycles = Object.values(this.parts).reduce((a, b) => a + b, 0)
    return { cycles, parts: this.parts, bytes: this.bytes, operations: this.operations }
  }

  /** A body that is run so many times. @param axis the loop that it is the body of */
  private rounds(stmts: readonly Stmt[], sizes: Sizes, times: number, axis: string | undefined): void {
    const body = new Body()
    this.collect(stmts, sizes, times, [], undefined, body)
    this.bytes += times * body.bytes
    this.operations += times * body.operations
    const { core } = this
    if (core === undefined) return
    const chain = axis === undefined || body.loops > 0 ? 0 : Math.max(0, ...body.sums.values())
    const over = body.loops > 0 ? { loads: 0, stores: 0 } : spilled(this.live(body, sizes), this.registers)
    const plain = portsOf({ ...body, chain }, core)
    const full = portsOf({ ...body, chain, loads: body.loads + over.loads, stores: body.stores + over.stores }, core)
    const most = (ports: Readonly<Record<'arithmetic' | 'L1' | 'latency', number>>): number =>
      Math.max(ports.arithmetic, ports.L1, ports.latency)
    const [part] = (['arithmetic', 'L1', 'latency'] as const).filter(p => plain[p] === most(plain))
    this.parts[part ?? 'arithmetic'] += times * most(plain)
    this.parts.registers += times * (most(full) - most(plain))
    if (axis !== undefined) this.parts.loops += times * core.roundCycles
  }

  private collect(
    stmts: readonly Stmt[],
    sizes: Sizes,
    times: number,
    written: readonly Written[],
    vector: string | undefined,
    body: Body,
  ): void {
    for (const s of stmts)
      switch (s.kind) {
        case 'for': {
          const rounds = roundsOf(s, sizes)
          const within = inside(sizes, s.axis, rounds)
          if (s.tag === 'vector') {
            // More lanes than a vector has are several.
            const wide = Math.max(1, rounds / this.lanes)
            const more = wide > 1 ? [...written, { axis: s.axis, rounds: wide }] : written
            this.collect(s.body, within, times, more, s.axis, body)
          } else if (s.tag === 'unroll')
            this.collect(s.body, within, times, [...written, { axis: s.axis, rounds }], vector, body)
          else {
            body.loops++
            const copies = written.reduce((n, w) => n * w.rounds, 1)
            this.rounds(s.body, within, times * copies * rounds, s.axis)
          }
          break
        }
        case 'alloc':
          this.decls.set(s.buffer.name, s.buffer)
          if (s.space === 'register') this.inRegisters.add(s.buffer.name)
          break
        case 'if': {
          this.scalar(s.condition, written, vector, body)
          // Both are seldom run: the first is what the condition is for.
          this.collect(s.then, sizes, times, written, vector, body)
          break
        }
        case 'let':
          this.scalar(s.value, written, vector, body)
          break
        case 'store':
          this.scalar(s.value, written, vector, body)
          if (reads(s.value, s.buffer)) this.sum(s, written, body)
          this.access(s.buffer, s.indices, 'store', written, vector, body)
          break
        case 'accumulate':
          this.scalar(s.value, written, vector, body)
          this.work(1, written, vector, body)
          this.sum(s, written, body)
          if (!this.inRegisters.has(s.buffer)) this.access(s.buffer, s.indices, 'load', written, vector, body)
          this.access(s.buffer, s.indices, 'store', written, vector, body)
          break
        case 'fail':
        case 'barrier':
          break
      }
  }

  private work(each: number, written: readonly Written[], vector: string | undefined, body: Body): void {
    const instructions = each * product(written)
    body.arithmetic += instructions
    body.operations += instructions * (vector === undefined ? 1 : this.lanes)
  }

  /** Something that is added to: every addition to one element waits for the last one. */
  private sum(
    { buffer, indices }: { readonly buffer: string; readonly indices: readonly Index[] },
    written: readonly Written[],
    body: Body,
  ): void {
    if (!this.inRegisters.has(buffer)) return
    const apart = product(written.filter(w => mentions(indices, w.axis)))
    body.sums.set(buffer, (body.sums.get(buffer) ?? 0) + product(written) / apart)
  }

  private scalar(x: Scalar, written: readonly Written[], vector: string | undefined, body: Body): void {
    this.work(weightOf(x), written, vector, body)
    visitScalars(x, y => {
      if (y.kind === 'load') this.access(y.buffer, y.indices, 'load', written, vector, body)
    })
  }

  /** What does not change from one written-out round to the next is loaded once; lanes that are apart are loaded one by one. */
  private access(
    buffer: string,
    indices: readonly Index[],
    kind: 'load' | 'store',
    written: readonly Written[],
    vector: string | undefined,
    body: Body,
  ): void {
    if (this.inRegisters.has(buffer)) {
      body.touched.add(buffer)
      return
    }
    const copies = product(written.filter(w => mentions(indices, w.axis)))
    const element = widthOf(this.decls.get(buffer)?.dtype)
    const step = vector === undefined ? 0 : laneStep(indices, vector)
    const lanes = step === undefined || step > 1 ? this.lanes : 1
    if (kind === 'load') body.loads += copies * lanes
    else body.stores += copies * lanes
    body.bytes += copies * (step === 0 ? element : this.lanes * element)
  }

  /** Vectors that a round holds in registers. */
  private live(body: Body, sizes: Sizes): number {
    let vectors = 0
    for (const name of body.touched) {
      const decl = this.decls.get(name)
      const elements = (decl?.shape ?? []).reduce((n, d) => n * sizeOf(d, sizes), 1)
      vectors += Math.ceil(elements / this.lanes)
    }
    return vectors
  }
}

const reads = (x: Scalar, buffer: string): boolean => {
  let found = false
  visitScalars(x, y => {
    found ||= y.kind === 'load' && y.buffer === buffer
  })
  return found
}
const product = (written: readonly Written[]): number => written.reduce((n, w) => n * w.rounds, 1)
const mentions = (indices: readonly Index[], axis: string): boolean => indices.some(i => variablesOf(i).has(axis))
const widthOf = (dtype: DType | undefined): number => bytesOf[dtype ?? 'f32']

/** Elements from lane to lane; undefined where they lie anywhere. */
const laneStep = (indices: readonly Index[], lane: string): number | undefined => {
  const last = indices.at(-1)
  if (!mentions(indices, lane)) return 0
  if (last === undefined || mentions(indices.slice(0, -1), lane)) return undefined
  const steps = ix
    .split(last)
    .terms.filter(t => t.factors.some(f => variablesOf(f).has(lane)))
    .map(t => (t.factors.length === 1 && t.factors[0]?.kind === 'var' ? Math.abs(t.coef) : undefined))
  return steps.length === 1 ? steps[0] : undefined
}
