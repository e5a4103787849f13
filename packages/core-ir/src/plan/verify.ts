/**
 * @file Checks a plan against its program: names, dtypes and sizes of what kernels are given, what steps read, symbols, and
 * that no slot of the memory plan holds two things that are wanted at one time.
 */
import { bytesOf } from '@quern/artifact'
import { type Diagnostic, diagnose, printedOnce, throwDiagnostics } from '../diagnostics/diagnostic.ts'
import { symbolRanges } from '../graph/builder.ts'
import type { SymbolInfo } from '../graph/graph.ts'
import { type Index, add, isConst, mapAtoms, mul, product, roundUp, sub, visitAtoms } from '../index/index-expr.ts'
import { type Ranges, rangeOf, simplify } from '../index/range.ts'
import type { BufferDecl, Kernel } from '../loop/kernel.ts'
import { accessesOf, rootOf, usesOf } from './liveness.ts'
import type { LoweredProgram, MemoryPlan, Plan, PlanBuffer, Slot, Step } from './plan.ts'
import { printPlanLines } from './print.ts'

/** Throws an error with every finding. */
export const verifyPlan = (plan: Plan, program: Pick<LoweredProgram, 'kernels'>): void =>
  throwDiagnostics(`the plan ${plan.entry}`, planDiagnostics(plan, program))

/** Verifies every plan; kernels have a verifier of their own. */
export const verifyLowered = (program: LoweredProgram): void => {
  for (const plan of program.plans) verifyPlan(plan, program)
}

export const planDiagnostics = (plan: Plan, { kernels }: Pick<LoweredProgram, 'kernels'>): Diagnostic[] => {
  const found: Diagnostic[] = []
  const printed = printedOnce(() => printPlanLines(plan))
  const say: Say = (path, code, message, focus) => void found.push(diagnose(printed(), path, code, message, focus))
  const check = new PlanCheck(plan, kernels, say)
  plan.buffers.forEach((b, i) => check.buffer(b, i))
  check.stream()
  check.steps(plan.steps, 'step', new Set(plan.symbols.map(s => s.name)))
  // Sizes and lifetimes mean something only where every name does.
  if (found.length === 0 && plan.memory !== undefined) check.memory(plan.memory)
  return found
}

type Say = (path: string, code: string, message: string, focus?: string) => void

class PlanCheck {
  private readonly plan: Plan
  private readonly kernels: ReadonlyMap<string, Kernel>
  private readonly say: Say
  private readonly buffers: ReadonlyMap<string, PlanBuffer>
  private readonly symbols: ReadonlyMap<string, SymbolInfo>
  private readonly ranges: Ranges

  constructor(plan: Plan, kernels: ReadonlyMap<string, Kernel>, say: Say) {
    this.plan = plan
    this.kernels = kernels
    this.say = say
    this.buffers = new Map(plan.buffers.map(b => [b.name, b]))
    this.symbols = new Map(plan.symbols.map(s => [s.name, s]))
    this.ranges = symbolRanges(this.symbols)
  }

  /** Rows are cut along a dim that every port has first, or not at all; which steps keep rows apart is not looked at here. */
  stream(): void {
    const { stream, buffers, symbols } = this.plan
    if (stream === undefined) return
    const { symbol, rows } = stream
    const others = symbols.map(s => s.name).filter(name => name !== symbol)
    if (others.length === symbols.length)
      this.say('stream', 'plan/unknown-symbol', `the plan streams along ${symbol}, which is no symbol of it`, symbol)
    this.mentions('stream', [rows], new Set(others))
    for (const b of buffers) {
      if (b.kind === 'state')
        this.say('stream', 'plan/stream-state', `the plan has the state ${b.name}, which every round would update`)
      if (b.kind !== 'input' && b.kind !== 'output') continue
      const [first, ...rest] = b.shape
      const whole = b.kind === 'input' && !b.shape.some(d => namesIn(d).has(symbol))
      if (!whole && (first?.kind !== 'var' || first.name !== symbol || rest.some(d => namesIn(d).has(symbol))))
        this.say('stream', 'plan/stream-rows', `${b.name} does not have its rows along ${symbol}`, symbol)
    }
  }

  buffer(b: PlanBuffer, at: number): void {
    const path = `buffer.${b.name}`
    const say = (code: string, message: string, focus?: string): void => this.say(path, code, message, focus)
    if (this.plan.buffers.findIndex(x => x.name === b.name) < at)
      say('plan/name-taken', `two buffers are named ${b.name}`, b.name)
    const logical = b.layout.map.length === 0 ? [] : b.shape.map((_, i) => `d${i}`)
    const dims = [
      ...b.shape,
      ...b.layout.shape,
      ...(b.layout.strides ?? []),
      ...(b.layout.offset === undefined ? [] : [b.layout.offset]),
    ]
    this.mentions(path, dims, new Set(this.symbols.keys()))
    this.mentions(path, b.layout.map, new Set([...this.symbols.keys(), ...logical]))
    if (
      b.layout.map.length !== b.layout.shape.length ||
      (b.layout.strides ?? b.layout.shape).length !== b.layout.shape.length
    )
      say('plan/wrong-layout', 'a layout has as many extents and strides as it has positions', 'layout')
    if ((b.kind === 'constant') !== (b.data !== undefined) && b.aliasOf === undefined)
      say(
        'plan/wrong-buffer',
        b.kind === 'constant' ? `${b.name} has no data` : `${b.name} is no constant, and has data`,
      )
    if (b.aliasOf === undefined) return
    const target = this.buffers.get(b.aliasOf)
    if (target === undefined)
      return say('plan/unknown-buffer', `${b.name} shares the memory of ${b.aliasOf}, which does not exist`, b.aliasOf)
    try {
      rootOf(this.buffers, b.name)
    } catch {
      return say('plan/wrong-alias', `the alias of ${b.name} leads back to itself`, b.aliasOf)
    }
    if (this.disproves(this.bytes(b), this.bytes(target)))
      say('plan/wrong-alias', `${b.name} is larger than ${b.aliasOf}`, b.aliasOf)
  }

  steps(steps: readonly Step[], prefix: string, symbols: ReadonlySet<string>): void {
    const known = new Set(symbols)
    steps.forEach((step, i) => this.step(step, `${prefix}.${i}`, known))
  }

  private step(step: Step, path: string, symbols: ReadonlySet<string>): void {
    const { reads, writes } = accessesOf(step, this.kernels)
    const args = step.kind === 'kernel' ? step.args : []
    for (const name of new Set([...args, ...reads, ...writes]))
      if (!this.buffers.has(name)) this.say(path, 'plan/unknown-buffer', `there is no buffer ${name}`, name)
    for (const name of writes) {
      const kind = this.buffers.get(name)?.kind
      if (kind === 'constant') this.say(path, 'plan/writes-constant', `${name} is a constant, and is written`, name)
    }
    switch (step.kind) {
      case 'kernel':
        return this.call(step, path, symbols)
      case 'copy': {
        const from = this.buffers.get(step.from)
        const to = this.buffers.get(step.to)
        if (from === undefined || to === undefined) return
        const equal = isConst(this.simple(sub(product(from.shape), product(to.shape))))
          ? isConst(this.simple(sub(product(from.shape), product(to.shape))), 0)
          : true
        if (from.dtype !== to.dtype || !equal)
          this.say(path, 'plan/wrong-copy', `${step.from} and ${step.to} are not of one type`, step.to)
        return
      }
      case 'define':
        if (!this.symbols.has(step.symbol))
          this.say(path, 'plan/unknown-symbol', `the symbol ${step.symbol} is not declared`, step.symbol)
        return this.scalar(path, step.from, ['i32', 'i64'])
      case 'if':
        this.scalar(path, step.condition, ['bool'])
        this.steps(step.then, `${path}.then`, symbols)
        return this.steps(step.else, `${path}.else`, symbols)
      case 'loop':
        if (step.condition !== undefined) this.scalar(path, step.condition, ['bool'])
        if (typeof step.limit === 'string') this.scalar(path, step.limit, ['i32', 'i64'])
        else if (step.limit === undefined) {
          if (step.condition === undefined)
            this.say(path, 'plan/endless-loop', 'a loop has a limit, a condition, or both')
        } else this.mentions(path, [step.limit], symbols)
        return this.steps(step.body, path, new Set([...symbols, step.counter]))
    }
  }

  private call(step: Extract<Step, { kind: 'kernel' }>, path: string, symbols: ReadonlySet<string>): void {
    const kernel = this.kernels.get(step.kernel)
    if (kernel === undefined)
      return this.say(path, 'plan/unknown-kernel', `there is no kernel ${step.kernel}`, step.kernel)
    if (kernel.params.length !== step.args.length)
      return this.say(
        path,
        'plan/wrong-arguments',
        `${kernel.name} takes ${kernel.params.length} buffers, not ${step.args.length}`,
        step.kernel,
      )
    for (const { name } of kernel.symbols)
      if (!symbols.has(name))
        this.say(
          path,
          'plan/unknown-symbol',
          `${kernel.name} needs the symbol ${name}, which has no value here`,
          step.kernel,
        )
    kernel.params.forEach((param, i) => {
      const name = step.args[i] ?? ''
      const buffer = this.buffers.get(name)
      if (buffer === undefined) return
      if (buffer.dtype !== param.dtype)
        this.say(
          path,
          'plan/wrong-dtype',
          `${kernel.name} takes ${param.dtype} for ${param.name}, and ${name} is ${buffer.dtype}`,
          name,
        )
      else if (this.disproves(declBytes(param), this.bytes(buffer)))
        this.say(path, 'plan/too-small', `${kernel.name} reaches further in ${param.name} than ${name} is long`, name)
    })
  }

  private scalar(path: string, name: string, dtypes: readonly string[]): void {
    const buffer = this.buffers.get(name)
    if (buffer === undefined) return
    if (!dtypes.includes(buffer.dtype) || !isConst(product(buffer.shape), 1))
      this.say(path, 'plan/wrong-scalar', `${name} must be one ${dtypes.join(' or ')}`, name)
  }

  memory(memory: MemoryPlan): void {
    const live = usesOf(this.plan, this.kernels)
    for (const slot of memory.slots) {
      const path = `slot.${slot.name}`
      this.mentions(path, [slot.bytes, slot.offset], new Set(this.symbols.keys()))
      for (const other of memory.slots.slice(0, memory.slots.indexOf(slot)))
        if (this.overlap(slot, other))
          for (const [a, b] of slot.tenants.flatMap(x => other.tenants.map(y => [x, y] as const))) {
            const x = live.get(a),
              y = live.get(b)
            if (x !== undefined && y !== undefined && x.from <= y.to && y.from <= x.to)
              this.say(
                path,
                'plan/slots-overlap',
                `${a} and ${b} are wanted at the same time, and their slots overlap`,
                a,
              )
          }
      if (this.disproves(add(slot.offset, slot.bytes), memory.peak))
        this.say(path, 'plan/wrong-peak', `${slot.name} ends beyond the peak`, slot.name)
      slot.tenants.forEach((name, i) => {
        const buffer = this.buffers.get(name)
        if (buffer === undefined) return this.say(path, 'plan/unknown-buffer', `there is no buffer ${name}`, name)
        if (buffer.kind === 'constant' || buffer.kind === 'state' || buffer.aliasOf !== undefined)
          this.say(path, 'plan/wrong-tenant', `${name} has no memory in the arena`, name)
        if (this.disproves(this.padded(buffer), slot.bytes))
          this.say(path, 'plan/too-small', `${name} is larger than ${slot.name}`, name)
        for (const other of slot.tenants.slice(0, i)) {
          const a = live.get(name)
          const b = live.get(other)
          // A step may read one and write the other: in place. Whether it does so in order is the kernel's affair.
          if (a !== undefined && b !== undefined && a.from < b.to && b.from < a.to)
            this.say(path, 'plan/tenants-clash', `${other} and ${name} are wanted at the same time`, name)
        }
      })
    }
    for (const { name, kind, aliasOf } of this.plan.buffers)
      if (
        (kind === 'scratch' || kind === 'input' || kind === 'output') &&
        aliasOf === undefined &&
        live.has(name) &&
        !memory.slotOf.has(name)
      )
        this.say(`buffer.${name}`, 'plan/no-slot', `${name} has no slot`, name)
    for (const [buffer, slot] of memory.slotOf)
      if (memory.slots.find(s => s.name === slot)?.tenants.includes(buffer) !== true)
        this.say('memory', 'plan/wrong-tenant', `${buffer} says that it lives in ${slot}, which does not hold it`)
  }

  private mentions(path: string, dims: readonly Index[], names: ReadonlySet<string>): void {
    for (const dim of dims)
      visitAtoms(dim, atom => {
        if (atom.kind === 'var' && !names.has(atom.name))
          this.say(path, 'plan/unknown-symbol', `the symbol ${atom.name} is not declared`, atom.name)
      })
  }

  /** Whether slots have bytes in common at some sizes, as far as can be proved. */
  private overlap(a: Slot, b: Slot): boolean {
    return this.disproves(add(a.offset, a.bytes), b.offset) && this.disproves(add(b.offset, b.bytes), a.offset)
  }

  private bytes(b: PlanBuffer): Index {
    return declBytes({ ...b.layout, name: b.name, dtype: b.dtype })
  }
  private padded(b: PlanBuffer): Index {
    return roundUp(this.bytes(b), 64)
  }
  /** Symbols that a run defines count as their bound. */
  private simple(x: Index): Index {
    let now = x
    for (let i = 0; i <= this.symbols.size; i++)
      now = mapAtoms(now, a => (a.kind === 'var' ? this.symbols.get(a.name)?.upper : undefined))
    return simplify(now, this.ranges)
  }
  /** Whether a ≤ b fails for some sizes, as far as can be proved: it fails for all, or at the bounds of the symbols. */
  private disproves(a: Index, b: Index): boolean {
    const gap = this.simple(sub(b, a))
    if (isConst(gap)) return gap.value < 0
    return [0, 1].some(end => {
      const at = new Map([...this.ranges].map(([name, r]) => [name, this.sample(name, end === 0 ? r.min : r.max)]))
      return rangeOf(gap, at).max < 0
    })
  }
  private sample(name: string, at: number): { min: number; max: number } {
    const step = this.symbols.get(name)?.multipleOf ?? 1
    const value = Number.isFinite(at) ? at : 997 * step
    return { min: value, max: value }
  }
}

const namesIn = (x: Index): ReadonlySet<string> => {
  const names = new Set<string>()
  visitAtoms(x, atom => {
    if (atom.kind === 'var') names.add(atom.name)
  })
  return names
}

/** Bytes up to the last element that a declaration reaches. */
const declBytes = (decl: BufferDecl): Index => {
  const { shape, strides, offset } = decl
  const count =
    strides === undefined
      ? add(offset ?? 0, product(shape))
      : add(1, offset ?? 0, ...shape.map((d, i) => mul(sub(d, 1), strides[i] ?? 0)))
  return mul(count, bytesOf[decl.dtype])
}
