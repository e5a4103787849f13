/**
 * @file Runs a plan through the kernel interpreter, with every buffer where the plan puts it: physical layouts, aliases,
 * and, where there is a memory plan, slots that really share bytes, so that an overlap shows as a wrong result.
 */
import { QuernError, bufferAlignment, bytesOf } from '@quern/artifact'
import type { ConstantData } from '../graph/graph.ts'
import { constantBytes } from '../graph/constant-bytes.ts'
import { type HostTensor, arrayOver, bytesOfArray } from '../host-tensor.ts'
import { type Index, evaluateIndex } from '../index/index-expr.ts'
import { layoutSpan, packConstant, unpackLayout } from '../layout/pack.ts'
import { type InterpretOptions, interpretKernel } from '../loop/interpret.ts'
import { bindSymbols } from './bind-symbols.ts'
import type { LoweredProgram, Plan, PlanBuffer, Step } from './plan.ts'

export interface PlanContext {
  /** Row-major bytes of a constant that is not inline; read before the run. */
  readonly constant?: (data: Extract<ConstantData, { kind: 'bytes' }>) => Uint8Array
  /** States before the run, by name; those that are missing are zeros. */
  readonly states?: Readonly<Record<string, HostTensor>>
  readonly options?: InterpretOptions
}
export interface PlanResult {
  readonly outputs: Readonly<Record<string, HostTensor>>
  /** States after the run. */
  readonly states: Readonly<Record<string, HostTensor>>
  /** The first kernel that failed, and why. */
  readonly status:
    | { readonly kernel: string; readonly reason: 'index-out-of-range' | 'loop-limit'; readonly index: number }
    | undefined
}

export const interpretPlan = (
  program: LoweredProgram,
  entry: string,
  inputs: Readonly<Record<string, HostTensor>>,
  context: PlanContext = {},
): PlanResult => {
  const plan = program.plans.find(p => p.entry === entry)
  if (plan === undefined)
    throw new QuernError(
      'plan/unknown-entry',
      `${program.name} has no entry ${entry}; it has ${program.plans.map(p => p.entry).join(', ')}`,
      { entry },
    )
  return new Run(program, plan, inputs, context).finish()
}

type Status = PlanResult['status']

class Run {
  private readonly program: LoweredProgram
  private readonly plan: Plan
  private readonly context: PlanContext
  private readonly buffers: ReadonlyMap<string, PlanBuffer>
  private readonly memory: ReadonlyMap<string, Uint8Array<ArrayBuffer>>
  private readonly symbols: Map<string, number>
  private status: Status

  constructor(program: LoweredProgram, plan: Plan, inputs: Readonly<Record<string, HostTensor>>, context: PlanContext) {
    this.program = program
    this.plan = plan
    this.context = context
    this.buffers = new Map(plan.buffers.map(b => [b.name, b]))
    const ports = plan.buffers.filter(b => b.kind === 'input')
    this.symbols = bindSymbols(
      plan.symbols,
      ports.map(b => ({ name: portOf(b), dtype: b.dtype, shape: b.shape, tensor: inputs[portOf(b)] })),
    )
    this.memory = this.place()
    for (const buffer of ports) {
      const tensor = inputs[portOf(buffer)]
      if (tensor !== undefined) this.fill(buffer, bytesOfArray(tensor.data), tensor.shape)
    }
    for (const buffer of plan.buffers) this.initialise(buffer)
  }

  finish(): PlanResult {
    this.steps(this.plan.steps)
    const read = (kind: PlanBuffer['kind']): Record<string, HostTensor> =>
      Object.fromEntries(this.plan.buffers.filter(b => b.kind === kind).map(b => [portOf(b), this.read(b)]))
    return { outputs: read('output'), states: read('state'), status: this.status }
  }

  private value(x: Index): number {
    return evaluateIndex(x, this.symbols)
  }
  private shapeOf(buffer: PlanBuffer): number[] {
    return buffer.shape.map(d => this.value(d))
  }
  private bytesOf(buffer: PlanBuffer): number {
    return align(layoutSpan(buffer.layout, this.symbols) * bytesOf[buffer.dtype])
  }

  private bufferNamed(name: string): PlanBuffer {
    const found = this.buffers.get(name)
    if (found === undefined)
      throw new QuernError('plan/unknown-buffer', `${this.plan.entry} has no buffer ${name}`, { buffer: name })
    return found
  }

  /** Gives each buffer its bytes. What nobody wrote is all ones: NaN, or an integer that is hardly right by chance. */
  private place(): Map<string, Uint8Array<ArrayBuffer>> {
    const { memory } = this.plan
    const fresh = (bytes: number): Uint8Array<ArrayBuffer> => new Uint8Array(bytes).fill(0xff)
    const arena = fresh(memory === undefined ? 0 : align(this.value(memory.peak)))
    const placed = new Map<string, Uint8Array<ArrayBuffer>>()
    const states = new Map<string, Uint8Array<ArrayBuffer>>()
    const placeOne = (buffer: PlanBuffer): Uint8Array<ArrayBuffer> => {
      const known = placed.get(buffer.name)
      if (known !== undefined) return known
      const bytes = this.bytesOf(buffer)
      const slotName = memory?.slotOf.get(buffer.name)
      const slot = memory?.slots.find(s => s.name === slotName)
      let found: Uint8Array<ArrayBuffer>
      if (buffer.aliasOf !== undefined) {
        const whole = placeOne(this.bufferNamed(buffer.aliasOf))
        if (whole.byteLength < bytes) throw this.tooSmall(buffer, bytes, buffer.aliasOf, whole.byteLength)
        found = whole
      } else if (slot !== undefined) {
        const at = this.value(slot.offset)
        const size = this.value(slot.bytes)
        if (size < bytes || at + size > arena.byteLength || at % bufferAlignment !== 0)
          throw this.tooSmall(buffer, bytes, slot.name, Math.min(size, arena.byteLength - at))
        found = arena.subarray(at, at + size)
      } else if (buffer.kind === 'state') {
        // Several buffers of one state are one memory.
        found = states.get(portOf(buffer)) ?? fresh(bytes)
        states.set(portOf(buffer), found)
      } else found = fresh(bytes)
      placed.set(buffer.name, found)
      return found
    }
    for (const buffer of this.plan.buffers) placeOne(buffer)
    return placed
  }

  private tooSmall(buffer: PlanBuffer, needed: number, where: string, bytes: number): QuernError {
    return new QuernError(
      'plan/does-not-fit',
      `${buffer.name} needs ${needed} bytes, and ${where} has ${bytes} aligned ones`,
      { buffer: buffer.name, needed, where, bytes },
    )
  }

  private bytes(name: string): Uint8Array<ArrayBuffer> {
    this.bufferNamed(name)
    return this.memory.get(name) ?? new Uint8Array()
  }

  private initialise(buffer: PlanBuffer): void {
    if (buffer.aliasOf !== undefined) return
    const shape = (): number[] => this.shapeOf(buffer)
    if (buffer.kind === 'state') {
      const tensor = this.context.states?.[portOf(buffer)]
      if (tensor !== undefined) this.fill(buffer, bytesOfArray(tensor.data), shape())
      else this.bytes(buffer.name).fill(0)
    }
    if (buffer.kind !== 'constant' || buffer.data === undefined) return
    const { data } = buffer
    if (data.kind === 'inline') this.fill(buffer, constantBytes(data, buffer.dtype, shape()), shape())
    else if (this.context.constant !== undefined) this.fill(buffer, this.context.constant(data), shape())
    else
      throw new QuernError(
        'plan/no-constants',
        `${buffer.name} lies in ${data.source}, and no way to read it was given`,
        { buffer: buffer.name, source: data.source },
      )
  }

  /** Writes row-major bytes in the buffer's layout. */
  private fill(buffer: PlanBuffer, rowMajor: Uint8Array, shape: readonly number[]): void {
    this.bytes(buffer.name).set(packConstant(rowMajor, buffer.dtype, shape, buffer.layout, this.symbols))
  }
  private read(buffer: PlanBuffer): HostTensor {
    const shape = this.shapeOf(buffer)
    const data = unpackLayout(this.bytes(buffer.name), buffer.dtype, shape, buffer.layout, this.symbols)
    return { dtype: buffer.dtype, shape, data: arrayOver(buffer.dtype, data) }
  }
  /** The one element of a buffer that a step reads. */
  private scalar(name: string): number {
    const [value] = this.read(this.bufferNamed(name)).data
    return Number(value ?? 0)
  }

  private steps(steps: readonly Step[]): void {
    for (const step of steps) this.step(step)
  }

  private step(step: Step): void {
    switch (step.kind) {
      case 'kernel':
        return this.kernel(step.kernel, step.args)
      case 'copy': {
        const from = this.bufferNamed(step.from)
        const to = this.bufferNamed(step.to)
        const tensor = this.read(from)
        return this.fill(to, bytesOfArray(tensor.data), this.shapeOf(to))
      }
      case 'define': {
        const upper = this.plan.symbols.find(s => s.name === step.symbol)?.upper
        const value = Math.max(0, this.scalar(step.from))
        this.symbols.set(step.symbol, upper === undefined ? value : Math.min(value, this.value(upper)))
        return
      }
      case 'if':
        return this.steps(this.scalar(step.condition) === 0 ? step.else : step.then)
      case 'loop': {
        const limit =
          step.limit === undefined
            ? Infinity
            : typeof step.limit === 'string'
              ? this.scalar(step.limit)
              : this.value(step.limit)
        for (let trip = 0; trip < limit; trip++) {
          if (step.condition !== undefined && this.scalar(step.condition) === 0) break
          this.symbols.set(step.counter, trip)
          this.steps(step.body)
        }
      }
    }
  }

  private kernel(name: string, args: readonly string[]): void {
    const kernel = this.program.kernels.get(name)
    if (kernel === undefined)
      throw new QuernError('plan/unknown-kernel', `${this.plan.entry} calls ${name}, which does not exist`, {
        kernel: name,
      })
    // Arrays over the same bytes: the kernel interpreter sees what overlaps.
    const buffers = kernel.params.map(
      (param, i) => [param.name, arrayOver(param.dtype, this.bytes(args[i] ?? ''))] as const,
    )
    const symbols = Object.fromEntries(this.symbols)
    const { status } = interpretKernel(kernel, { buffers: Object.fromEntries(buffers), symbols }, this.context.options)
    if (status.reason !== 'ok') this.status ??= { kernel: name, reason: status.reason, index: status.index }
  }
}

const portOf = (buffer: PlanBuffer): string => buffer.port ?? buffer.name
const align = (bytes: number): number => Math.ceil(bytes / bufferAlignment) * bufferAlignment
