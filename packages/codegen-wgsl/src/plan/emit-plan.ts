/** @file One plan as device buffers and steps. */
import {
  type DType,
  type Expr,
  type GpuBuffer,
  type GpuEntry,
  type GpuShader,
  type GpuStep,
  type Port,
  QuernError,
  bufferAlignment,
} from '@quern/artifact'
import {
  type Index,
  type Kernel,
  type LoweredProgram,
  type Plan,
  type PlanBuffer,
  type Step,
  isRowMajor,
  ix,
  layoutKey,
  rowMajor,
  toExpr,
} from '@quern/core-ir'
import { type EmittedKernel, type WgslLimits, emitKernel } from '../kernel/emit-kernel.ts'
import { packedBits } from '../spelling/types.ts'
import { copyKernel } from './copy-kernel.ts'
import { type Placement, deviceBytes, isPacked, rootOf } from './placement.ts'

/** What the plans of a program share: one list of shaders, one of kernel names. */
export class Shaders {
  readonly shaders: GpuShader[] = []
  readonly kernels: string[] = []
  readonly f16: boolean
  readonly limits: WgslLimits
  private readonly emitted = new Map<string, EmittedKernel>()
  constructor(f16: boolean, limits: WgslLimits) {
    this.f16 = f16
    this.limits = limits
  }

  /** A kernel whose args are bound in a certain pattern, emitted once. */
  use(kernel: Kernel, args: readonly { readonly buffer: number; readonly packed: boolean }[]): EmittedKernel {
    const first = args.map(a => args.findIndex(b => b.buffer === a.buffer))
    const key = `${kernel.name} ${first.map((f, i) => `${f}${args[i]?.packed === true ? 'p' : ''}`).join(' ')}`
    const known = this.emitted.get(key)
    if (known !== undefined) return known
    if (!this.kernels.includes(kernel.name)) this.kernels.push(kernel.name)
    const index = this.kernels.indexOf(kernel.name)
    const made = emitKernel(kernel, { f16: this.f16, limits: this.limits, index, args })
    this.emitted.set(key, made)
    this.shaders.push(made.shader)
    return made
  }
  indexOf(kernel: EmittedKernel): number {
    return this.shaders.indexOf(kernel.shader)
  }
}

export interface EmittedPlan {
  readonly webgpu: GpuEntry
  readonly inputs: readonly Port[]
  readonly outputs: readonly Port[]
}

export const emitPlan = (program: LoweredProgram, plan: Plan, placement: Placement, shaders: Shaders): EmittedPlan =>
  new PlanEmitter(program, plan, placement, shaders).finish()

class PlanEmitter {
  private readonly program: LoweredProgram
  private readonly plan: Plan
  private readonly placement: Placement
  private readonly shaders: Shaders
  private readonly sizes: { bytes: Index; readonly rest: Omit<GpuBuffer, 'bytes'> }[] = []
  private readonly indexOfKey = new Map<string, number>()
  private status: number | undefined
  /** Symbols that the steps so far defined. */
  private readonly defined = new Set<string>()

  constructor(program: LoweredProgram, plan: Plan, placement: Placement, shaders: Shaders) {
    this.program = program
    this.plan = withPortsInRows(plan)
    this.placement = placement
    this.shaders = shaders
  }

  finish(): EmittedPlan {
    const inputs = this.plan.buffers.filter(b => b.kind === 'input').map(b => this.port(b))
    const body = this.steps(this.plan.steps)
    const outputs = this.plan.buffers.filter(b => b.kind === 'output').map(b => this.port(b))
    const steps: GpuStep[] = this.status === undefined ? body : [{ kind: 'clear', buffer: this.status }, ...body]
    const buffers = this.sizes.map(({ bytes, rest }): GpuBuffer => ({ bytes: toExpr(this.bounded(bytes)), ...rest }))
    return {
      webgpu: { buffers, steps, ...(this.status === undefined ? {} : { status: this.status }) },
      inputs,
      outputs,
    }
  }

  /** A size before the run: symbols that the run defines are at their upper bounds. */
  private bounded(size: Index): Index {
    return ix.mapAtoms(size, atom => {
      const upper = atom.kind === 'var' ? this.plan.symbols.find(s => s.name === atom.name)?.upper : undefined
      return upper === undefined ? undefined : this.bounded(upper)
    })
  }

  private buffer(name: string): PlanBuffer {
    const found = this.plan.buffers.find(b => b.name === name)
    if (found === undefined) throw this.defect(`no buffer ${name}`)
    return found
  }
  private defect(message: string): QuernError {
    return new QuernError('internal/plan', `plan ${this.plan.entry} of ${this.program.name}: ${message}`)
  }

  /** Index of the device buffer that holds a plan buffer; views and the tenants of a slot share one. */
  private deviceBuffer(name: string): { readonly buffer: number; readonly packed: boolean } {
    const root = rootOf(this.plan, name)
    const { f16 } = this.shaders
    const packed = isPacked(root, f16)
    // A view may reach further than what it looks at was said to (a capacity).
    const bytes = ix.roundUp(deviceBytes(this.buffer(name), packed, f16), bufferAlignment)
    const rest = this.kindOf(root)
    const key =
      rest.kind === 'slot' ? `slot ${this.plan.memory?.slotOf.get(root.name) ?? root.name}` : `${rest.kind} ${rest.at}`
    const known = this.indexOfKey.get(key)
    if (known !== undefined) {
      const size = this.sizes[known]
      if (size !== undefined) size.bytes = ix.max(size.bytes, bytes)
      return { buffer: known, packed }
    }
    const buffer = this.sizes.push({ bytes, rest }) - 1
    this.indexOfKey.set(key, buffer)
    return { buffer, packed }
  }
  private kindOf(root: PlanBuffer): Omit<GpuBuffer, 'bytes'> {
    switch (root.kind) {
      case 'constant':
        return { kind: 'constant', at: this.placement.constantOf(root).at }
      case 'state':
        return { kind: 'state', at: this.placement.stateOf(root).at }
      case 'input':
      case 'output':
      case 'scratch':
        return { kind: 'slot' }
    }
  }
  private statusBuffer(): number {
    this.status ??= this.sizes.push({ bytes: ix.constant(bufferAlignment), rest: { kind: 'slot' } }) - 1
    return this.status
  }

  private port(b: PlanBuffer): Port {
    const { buffer, packed } = this.deviceBuffer(b.name)
    const held = packed ? undefined : widened(b.dtype, this.shaders.f16)
    return {
      name: b.port ?? b.name,
      dtype: b.dtype,
      shape: b.shape.map(toExpr),
      buffer,
      ...(held === undefined ? {} : { held }),
    }
  }

  private steps(steps: readonly Step[]): GpuStep[] {
    return steps.flatMap(step => this.step(step))
  }
  private step(step: Step): readonly GpuStep[] {
    switch (step.kind) {
      case 'kernel': {
        const kernel = this.program.kernels.get(step.kernel)
        if (kernel === undefined) throw this.defect(`no kernel ${step.kernel}`)
        return [this.dispatch(kernel, step.args)]
      }
      case 'copy':
        return this.copy(step.from, step.to)
      case 'define': {
        const upper = this.plan.symbols.find(s => s.name === step.symbol)?.upper
        const max = upper === undefined ? {} : { max: toExpr(upper) }
        this.defined.add(step.symbol)
        return [{ kind: 'define', symbol: step.symbol, buffer: this.hostReads(step.from), ...max }]
      }
      case 'if':
        return [
          {
            kind: 'if',
            condition: this.hostReads(step.condition),
            then: this.steps(step.then),
            else: this.steps(step.else),
          },
        ]
      case 'loop': {
        const limit =
          step.limit === undefined
            ? {}
            : typeof step.limit === 'string'
              ? { limitBuffer: this.hostReads(step.limit) }
              : { limit: toExpr(step.limit) }
        const condition = step.condition === undefined ? {} : { condition: this.hostReads(step.condition) }
        return [{ kind: 'loop', counter: step.counter, ...limit, ...condition, body: this.steps(step.body) }]
      }
    }
  }

  private dispatch(kernel: Kernel, names: readonly string[]): GpuStep {
    const args = names.map(name => this.deviceBuffer(name))
    const emitted = this.shaders.use(kernel, args)
    const bindings = emitted.bindings.map(param => args[param]?.buffer ?? 0)
    return {
      kind: 'dispatch',
      shader: this.shaders.indexOf(emitted),
      bindings: emitted.status ? [...bindings, this.statusBuffer()] : bindings,
      uniforms: kernel.symbols.map(s => this.uniform(s.name)),
      workgroups: [toExpr(emitted.workgroups[0]), toExpr(emitted.workgroups[1]), toExpr(emitted.workgroups[2])],
    }
  }

  /** Until a step defines it, a symbol stands at its upper bound: the extent of a buffer that is being filled. */
  private uniform(symbol: string): Expr {
    const later = this.plan.symbols.some(s => s.name === symbol && s.upper !== undefined) && !this.defined.has(symbol)
    return later ? toExpr(this.bounded(ix.variable(symbol))) : symbol
  }

  /** The host reads one 32-bit word: the scalar must be there, widened. */
  private hostReads(name: string): number {
    const { buffer, packed } = this.deviceBuffer(name)
    const { layout, dtype } = this.buffer(name)
    if (layout.offset !== undefined && !ix.isConst(layout.offset, 0))
      throw this.defect(`the scalar ${name} has an offset`)
    if (dtype !== 'bool' && dtype !== 'i32' && dtype !== 'u32')
      throw new QuernError(
        'webgpu/unsupported-dtype',
        `plan ${this.plan.entry}: the host reads ${name}, which is ${dtype}`,
        {
          buffer: name,
          dtype,
        },
      )
    if (packed && dtype !== 'bool') throw this.defect(`the scalar ${name} is packed`)
    return buffer
  }

  private copy(fromName: string, toName: string): readonly GpuStep[] {
    const from = this.deviceBuffer(fromName)
    const to = this.deviceBuffer(toName)
    const source = this.buffer(fromName)
    const target = this.buffer(toName)
    const alike = from.packed === to.packed && layoutKey(source.layout) === layoutKey(target.layout)
    if (from.buffer === to.buffer) {
      if (alike) return []
      throw this.defect(`${fromName} is copied to ${toName} in the same memory, in another layout`)
    }
    if (ix.isConst(ix.product(target.shape), 0)) return []
    if (!alike)
      return [
        this.dispatch(copyKernel(`copy ${fromName} to ${toName} in ${this.plan.entry}`, source, target), [
          fromName,
          toName,
        ]),
      ]
    const bytes = ix.roundUp(deviceBytes(target, to.packed, this.shaders.f16), 4)
    return [{ kind: 'copy', from: from.buffer, to: to.buffer, bytes: toExpr(bytes) }]
  }
}

/** The host hands over and takes rows: a port in another layout is copied at the plan's edge. */
const withPortsInRows = (plan: Plan): Plan => {
  const before: Step[] = []
  const after: Step[] = []
  const buffers = plan.buffers.flatMap((b): readonly PlanBuffer[] => {
    if ((b.kind !== 'input' && b.kind !== 'output') || isRowMajor(b.layout, b.shape)) return [b]
    const { name, kind, dtype, shape, port = name } = b
    const rows: PlanBuffer = { name: `${name} in rows`, kind, dtype, shape, port, layout: rowMajor(shape) }
    if (b.kind === 'input') before.push({ kind: 'copy', from: rows.name, to: b.name })
    else after.push({ kind: 'copy', from: b.name, to: rows.name })
    return [rows, { ...b, kind: 'scratch' }]
  })
  return { ...plan, buffers, steps: [...before, ...plan.steps, ...after] }
}

/** What a word of a slot holds, where that is not the dtype itself. */
const widened = (dtype: DType, f16: boolean): DType | undefined => {
  if (packedBits(dtype, f16) === undefined) return undefined
  switch (dtype) {
    case 'f16':
      return 'f32'
    case 'i8':
    case 'i16':
      return 'i32'
    default:
      return 'u32'
  }
}
