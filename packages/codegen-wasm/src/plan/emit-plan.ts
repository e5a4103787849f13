/** @file One plan to one exported function `(thread) → status` that calls the kernels. */
import { type Port, type WasmEntry, bufferAlignment, statusReasons, wasmHeader } from '@quern/artifact'
import {
  type Index,
  type Kernel,
  type LoweredProgram,
  type Plan,
  type PlanBuffer,
  type Step,
  bytesOfBuffer,
  ix,
  toExpr,
} from '@quern/core-ir'
import { defect } from '../defect.ts'
import type { EmittedKernel } from '../kernel/emit-kernel.ts'
import { writeIndexScalar } from '../kernel/scalars.ts'
import { KernelState, functionScope } from '../kernel/state.ts'
import type { HelperName } from '../spelling/helpers.ts'
import { addI32, get, i32, safeComment } from '../text/wat.ts'
import { Pending, type Touches } from './order.ts'
import type { Placement } from './place.ts'
import { PlanMemory, missing } from './plan-memory.ts'
import type { RuntimeFunction } from './runtime.ts'

export interface PlanTarget {
  readonly threads: boolean
  /** The largest team: private memory is kept for so many. */
  readonly maxTeam: number
  /** Whether a step's end may be told to a clock. */
  readonly clock: boolean
  readonly id: string
  use(helper: HelperName): void
  useRuntime(name: RuntimeFunction): void
}
export interface EmittedPlan {
  readonly text: string
  readonly entry: WasmEntry
  readonly inputs: readonly Port[]
  readonly outputs: readonly Port[]
}

/** The private memory of members, as a place that steps touch. */
const scratchPlace = '<scratch>'

export const emitPlan = (
  program: LoweredProgram,
  plan: Plan,
  kernels: ReadonlyMap<string, EmittedKernel>,
  placement: Placement,
  target: PlanTarget,
): EmittedPlan => new PlanWriter(program, plan, kernels, placement, target).finish()

class PlanWriter {
  private readonly program: LoweredProgram
  private readonly plan: Plan
  private readonly kernels: ReadonlyMap<string, EmittedKernel>
  private readonly placement: Placement
  private readonly target: PlanTarget
  private readonly k: KernelState
  private readonly memory: PlanMemory
  private readonly parallel: boolean
  private readonly slots = new Map<string, string>()
  private readonly thread: string
  private readonly team: string
  private readonly serialScratch: Index
  private readonly memberScratch: Index
  private pending = new Pending()
  private writeAddress: (local: string, address: Index) => void = () => {}

  constructor(
    program: LoweredProgram,
    plan: Plan,
    kernels: ReadonlyMap<string, EmittedKernel>,
    placement: Placement,
    target: PlanTarget,
  ) {
    this.program = program
    this.plan = plan
    this.kernels = kernels
    this.placement = placement
    this.target = target
    this.k = new KernelState(false, name => target.use(name))
    this.memory = new PlanMemory(plan, placement)
    const called = [...new Set(kernelSteps(plan.steps).map(s => s.kernel))].map(name => this.kernel(name))
    this.parallel = called.some(e => e.parallel)
    const most = (of: readonly EmittedKernel[]): Index =>
      of
        .flatMap(e => e.scratch ?? [])
        .reduce<Index | undefined>((m, x) => (m === undefined ? x : ix.max(m, x)), undefined) ?? ix.constant(0)
    this.serialScratch = most(called.filter(e => !e.parallel))
    this.memberScratch = most(called.filter(e => e.parallel))
    this.thread = this.k.w.param('thread', 'i32')
    this.team = this.parallel ? this.k.w.local('team', 'i32') : ''
    this.k.w.returns('i32')
  }

  finish(): EmittedPlan {
    const { k, plan, parallel } = this
    k.scopes.push(functionScope(k))
    this.enter()
    for (const s of plan.symbols) {
      k.ranges.set(s.name, { min: s.min, max: s.max ?? Infinity })
      const local = k.w.local(s.name, 'i32')
      k.symbols.set(s.name, local)
      k.w.set(local, `(i32.load ${i32(this.symbolAt(s.name))})`)
    }
    this.tick(-1)
    // Addresses are computed once, here, when a step first needs them.
    const start = k.w.chunk()
    this.writeAddress = (local, address) => k.w.into(start, () => k.w.set(local, this.now(address)))
    this.steps(plan.steps)
    // When one member returns, the work of all is done.
    if (parallel) this.barrier()
    k.w.line(`(i32${this.target.threads ? '.atomic' : ''}.load ${i32(wasmHeader.status)})`)
    const ports = plan.buffers.filter(b => b.kind === 'input' || b.kind === 'output')
    const port = (b: PlanBuffer): Port => ({
      name: b.port ?? b.name,
      dtype: b.dtype,
      shape: b.shape.map(toExpr),
      buffer: ports.indexOf(b),
    })
    return {
      text: [
        `;; ${safeComment(`plan ${plan.entry}`)}`,
        k.w.finish(`${this.target.id} (export "${this.target.id.slice(1)}")`),
      ].join('\n'),
      entry: {
        export: this.target.id.slice(1),
        buffers: ports.map(b => toExpr(this.memory.addressOf(b.name))),
        arenaBytes: toExpr(this.arenaBytes()),
        parallel,
        ...(plan.stream !== undefined && {
          stream: { symbol: plan.stream.symbol, rows: toExpr(plan.stream.rows) },
        }),
      },
      inputs: ports.filter(b => b.kind === 'input').map(port),
      outputs: ports.filter(b => b.kind === 'output').map(port),
    }
  }

  /** Who runs, and a clean status word. */
  private enter(): void {
    const { k, parallel, thread, team } = this
    if (!parallel) {
      if (this.target.threads) k.w.if(get(thread), () => k.w.line('(return (i32.const 0))'))
      this.clearStatus()
      return
    }
    const size = k.hold(`(i32.load ${i32(wasmHeader.teamSize)})`, 'i32')
    const most = i32(this.target.maxTeam)
    k.w.set(team, `(select ${size} ${most} (i32.lt_u ${size} ${most}))`)
    k.w.if(`(i32.ge_u ${get(thread)} ${get(team)})`, () => k.w.line('(return (i32.const 0))'))
    k.w.if(`(i32.eqz ${get(thread)})`, () => this.clearStatus())
    // The host writes inputs and symbols before it starts worker 0; the others may be here earlier.
    this.barrier()
  }
  private clearStatus(): void {
    const store = this.target.threads ? 'i32.atomic.store' : 'i32.store'
    this.k.w.line(`(${store} ${i32(wasmHeader.status)} ${i32(0)})`)
    this.k.w.line(`(${store} ${i32(wasmHeader.statusIndex)} ${i32(0)})`)
  }

  private steps(steps: readonly Step[]): void {
    for (const s of steps) this.step(s)
  }
  private step(s: Step): void {
    switch (s.kind) {
      case 'kernel':
        return this.callKernel(s)
      case 'copy':
        return this.copy(s.from, s.to)
      case 'define':
        return this.define(s.symbol, s.from)
      case 'if':
        return this.branch(s)
      case 'loop':
        return this.loop(s)
    }
  }

  private callKernel(s: Extract<Step, { kind: 'kernel' }>): void {
    const { k } = this
    const emitted = this.kernel(s.kernel)
    const kernel = this.program.kernels.get(s.kernel) ?? missing('kernel', s.kernel)
    if (s.args.length !== kernel.params.length)
      throw defect(`${s.kernel} takes ${kernel.params.length} buffers and is given ${s.args.length}`)
    const args = [
      ...s.args.map(name => this.address(name)),
      ...emitted.symbols.map(name => get(k.symbols.get(name) ?? missing('symbol', name))),
      ...(emitted.scratch === undefined ? [] : [this.scratch(emitted.parallel)]),
      ...(emitted.parallel ? [get(this.thread), get(this.team)] : []),
    ]
    const call = `(call ${[emitted.id, ...args].join(' ')})`
    this.touch(touchesOf(kernel, s.args, name => this.memory.placesOf(name), emitted))
    if (emitted.aborts) k.w.if(call, () => this.returnAborted())
    else if (emitted.parallel) k.w.line(call)
    else this.alone(() => k.w.line(call))
    this.tick([...this.program.kernels.keys()].indexOf(s.kernel))
  }

  /** For a profile, what took the time since the last tick: a kernel by its index, or a copy, counted as one more. */
  private tick(step: number): void {
    if (!this.target.clock) return
    const name = this.parallel ? 'tick_team' : 'tick'
    if (this.parallel) this.target.useRuntime('barrier')
    this.target.useRuntime(name)
    const member = this.parallel ? ` ${get(this.thread)} ${get(this.team)}` : ''
    this.k.w.line(`(call $${name} ${i32(step)}${member})`)
  }

  private copy(from: string, to: string): void {
    this.touch({
      by: 'worker 0',
      reads: new Set(this.memory.placesOf(from)),
      writes: new Set(this.memory.placesOf(to)),
    })
    const bytes = this.now(bytesOfBuffer(this.memory.buffer(from)))
    this.alone(() => this.k.w.line(`(memory.copy ${this.address(to)} ${this.address(from)} ${bytes})`))
    this.tick(this.program.kernels.size)
  }

  /** Every member reads the count; worker 0 also writes it where the host looks. */
  private define(symbol: string, from: string): void {
    const { k } = this
    const info = this.plan.symbols.find(s => s.name === symbol) ?? missing('symbol', symbol)
    const local = k.symbols.get(symbol) ?? missing('symbol', symbol)
    this.touch({ by: 'team', reads: new Set(this.memory.placesOf(from)), writes: new Set() })
    const { upper } = info
    const most = upper === undefined ? (info.max === undefined ? undefined : i32(info.max)) : this.now(upper)
    const count = this.clamp(this.readInteger(from), i32(0), most)
    k.w.set(local, count)
    this.alone(() => k.w.line(`(i32.store ${i32(this.symbolAt(symbol))} ${get(local)})`))
  }
  private clamp(x: string, low: string, high: string | undefined): string {
    const { k } = this
    const v = k.hold(x, 'i32')
    const above = k.hold(`(select ${v} ${low} (i32.gt_s ${v} ${low}))`, 'i32')
    return high === undefined ? above : `(select ${above} ${high} (i32.lt_s ${above} ${high}))`
  }
  /** A scalar buffer as an i32; a wide one saturates. */
  private readInteger(name: string): string {
    const { dtype } = this.memory.buffer(name)
    const at = this.address(name)
    if (dtype === 'i32' || dtype === 'u32') return `(i32.load ${at})`
    if (dtype !== 'i64') throw defect(`${name} counts, and is ${dtype}`)
    const wide = this.k.hold(`(i64.load ${at})`, 'i64')
    const low = this.k.hold(`(select ${wide} (i64.const 2147483647) (i64.lt_s ${wide} (i64.const 2147483647)))`, 'i64')
    return `(i32.wrap_i64 (select ${low} (i64.const -2147483648) (i64.gt_s ${low} (i64.const -2147483648))))`
  }
  private readCondition(name: string): string {
    this.touch({ by: 'team', reads: new Set(this.memory.placesOf(name)), writes: new Set() })
    return `(i32.load8_u ${this.address(name)})`
  }

  private branch(s: Extract<Step, { kind: 'if' }>): void {
    const condition = this.k.hold(this.readCondition(s.condition), 'i32')
    const before = this.pending
    const arm = (steps: readonly Step[]): { write: () => void; after: Pending } => {
      const after = before.fork()
      return {
        after,
        write: () => {
          this.pending = after
          this.steps(steps)
        },
      }
    }
    const then = arm(s.then),
      otherwise = arm(s.else)
    this.k.w.if(condition, then.write, s.else.length === 0 ? undefined : otherwise.write)
    this.pending = before
    this.pending.join(then.after, otherwise.after)
  }

  private loop(s: Extract<Step, { kind: 'loop' }>): void {
    const { k } = this
    const counter = k.symbols.get(s.counter) ?? this.bindCounter(s.counter)
    const { limit } = s
    const most =
      limit === undefined
        ? undefined
        : k.hold(typeof limit === 'string' ? this.readLimit(limit) : this.now(limit), 'i32')
    const label = k.w.label('loop'),
      end = k.w.label('end')
    k.w.set(counter, i32(0))
    k.w.block(`block ${end}`, () =>
      k.w.block(`loop ${label}`, () => {
        // The end of the body is before its beginning: meet here, whatever either touches.
        if (this.parallel) this.barrier()
        else if (this.target.threads) k.w.if(`(i32.atomic.load ${i32(wasmHeader.abort)})`, () => this.returnAborted())
        if (most !== undefined) k.w.line(`(br_if ${end} (i32.ge_s ${get(counter)} ${most}))`)
        if (s.condition !== undefined) k.w.line(`(br_if ${end} (i32.eqz ${this.readCondition(s.condition)}))`)
        this.steps(s.body)
        k.w.set(counter, addI32(get(counter), i32(1)))
        k.w.line(`(br ${label})`)
      }),
    )
    this.pending.clear()
    if (s.condition !== undefined)
      this.pending.add({ by: 'team', reads: new Set(this.memory.placesOf(s.condition)), writes: new Set() })
  }
  private readLimit(name: string): string {
    this.touch({ by: 'team', reads: new Set(this.memory.placesOf(name)), writes: new Set() })
    return this.readInteger(name)
  }
  private bindCounter(name: string): string {
    const local = this.k.w.local(name, 'i32')
    this.k.symbols.set(name, local)
    this.k.ranges.set(name, { min: 0, max: Infinity })
    return local
  }

  /** Meets the team if a step touches what is still in use, then counts the step as under way. */
  private touch(next: Touches): void {
    if (!this.parallel) return
    if (this.pending.conflicts(next)) this.barrier()
    this.pending.add(next)
  }
  private barrier(): void {
    this.target.useRuntime('barrier')
    this.k.w.if(`(call $barrier ${get(this.team)})`, () => this.returnAborted())
    this.pending.clear()
  }
  private returnAborted(): void {
    this.k.w.line(`(return ${i32(statusReasons.indexOf('aborted'))})`)
  }
  private alone(write: () => void): void {
    if (this.parallel) this.k.w.if(`(i32.eqz ${get(this.thread)})`, write)
    else write()
  }

  /** An index of the plan, computed where it stands: symbols change along the way. */
  private now(x: Index): string {
    this.k.scopes[0] = functionScope(this.k)
    return writeIndexScalar(this.k, x)
  }
  private scratch(parallel: boolean): string {
    const base = this.now(ix.add(this.placement.arenaAt, this.memory.peak))
    if (!parallel) return base
    const own = this.now(this.memory.bounded(this.memberScratch))
    return `(i32.add ${base} (i32.mul ${get(this.thread)} ${own}))`
  }
  private arenaBytes(): Index {
    const { serialScratch, memberScratch, memory } = this
    const scratch = ix.max(memory.bounded(serialScratch), ix.mul(memory.bounded(memberScratch), this.target.maxTeam))
    // Loads of whole vectors may reach past the last buffer.
    return ix.add(memory.peak, scratch, bufferAlignment)
  }

  private address(name: string): string {
    const address = this.memory.addressOf(name)
    if (ix.isConst(address)) return i32(address.value)
    const place = this.memory.placeOf(name)
    const known = this.slots.get(place)
    if (known !== undefined) return known
    const local = this.k.w.local(place, 'i32')
    this.writeAddress(local, address)
    this.slots.set(place, get(local))
    return get(local)
  }

  private kernel(name: string): EmittedKernel {
    return this.kernels.get(name) ?? missing('kernel', name)
  }
  private symbolAt(name: string): number {
    return this.placement.symbols.get(name) ?? missing('symbol', name)
  }
}

const kernelSteps = (steps: readonly Step[]): Extract<Step, { kind: 'kernel' }>[] =>
  steps.flatMap(s => {
    if (s.kind === 'kernel') return [s]
    if (s.kind === 'if') return kernelSteps([...s.then, ...s.else])
    return s.kind === 'loop' ? kernelSteps(s.body) : []
  })

const touchesOf = (
  kernel: Kernel,
  args: readonly string[],
  placesOf: (buffer: string) => readonly string[],
  emitted: EmittedKernel,
): Touches => {
  const reads = new Set<string>(),
    writes = new Set<string>()
  for (const [i, p] of kernel.params.entries()) {
    for (const place of placesOf(args[i] ?? '')) {
      if (p.access !== 'write') reads.add(place)
      if (p.access !== 'read') writes.add(place)
    }
  }
  // Members' own memory is shared by nobody, but worker 0 uses the same place in the kernels that it runs alone.
  if (emitted.scratch !== undefined) (emitted.parallel ? reads : writes).add(scratchPlace)
  return { by: emitted.parallel ? 'team' : 'worker 0', reads, writes }
}
