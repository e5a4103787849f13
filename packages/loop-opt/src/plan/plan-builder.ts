/** @file What grows while a plan is made: its buffers, and the kernels of the whole program. */
import type { DType } from '@quern/artifact'
import {
  type ConstantData,
  type Index,
  type Kernel,
  type Layout,
  type PlanBuffer,
  type PlanBufferKind,
  type Step,
  type SymbolInfo,
  type TensorType,
  rowMajor,
} from '@quern/core-ir'
import type { LoweredRegion } from '../lower/lowered-region.ts'

/** Names that are unique in one place. */
export class Names {
  private readonly taken = new Set<string>()
  fresh(hint: string): string {
    let name = hint
    for (let i = 2; this.taken.has(name); i++) name = `${hint}_${i}`
    this.taken.add(name)
    return name
  }
}

/** What lowering hands on of one kernel, before it is scheduled. */
export interface UnscheduledKernel {
  readonly region: LoweredRegion
  /** The region's kind in words, or the class of an op that stands alone. */
  readonly kind: string
}

export class PlanBuilder {
  readonly buffers = new Map<string, PlanBuffer>()
  readonly symbols: Map<string, SymbolInfo>
  readonly kernels: Map<string, UnscheduledKernel>
  private readonly names = new Names()
  private readonly kernelNames: Names
  private readonly constants = new Map<string, string>()

  constructor(symbols: Iterable<SymbolInfo>, kernels: Map<string, UnscheduledKernel>, kernelNames: Names) {
    this.symbols = new Map([...symbols].map(s => [s.name, s]))
    this.kernels = kernels
    this.kernelNames = kernelNames
  }

  buffer(
    hint: string,
    kind: PlanBufferKind,
    type: TensorType,
    more: { port?: string; aliasOf?: string; data?: ConstantData; layout?: Layout } = {},
  ): string {
    const name = this.names.fresh(hint)
    this.buffers.set(name, {
      name,
      kind,
      dtype: type.dtype,
      shape: type.shape,
      layout: rowMajor(type.shape),
      ...more,
    })
    return name
  }

  get(name: string): PlanBuffer {
    const buffer = this.buffers.get(name)
    if (buffer === undefined) throw new Error(`the plan has no buffer ${name}`)
    return buffer
  }

  /** A buffer whose memory is its own: views followed to the end. */
  rootOf(name: string): string {
    const { aliasOf } = this.get(name)
    return aliasOf === undefined ? name : this.rootOf(aliasOf)
  }

  /** One buffer for equal constants. */
  constant(hint: string, dtype: DType, shape: readonly Index[], data: ConstantData): string {
    const content =
      data.kind === 'inline'
        ? data.values.map(v => (Object.is(v, -0) ? '-0' : `${v}`)).join(',')
        : `${data.source}@${data.offset}+${data.length}`
    const key = `${dtype}[${shape.map(d => d.key).join(',')}] ${content}`
    const known = this.constants.get(key)
    if (known !== undefined) return known
    const name = this.buffer(hint, 'constant', { dtype, shape }, { data })
    this.constants.set(key, name)
    return name
  }

  /** Adds a kernel under a name of its own and returns the step that runs it. */
  kernel(hint: string, make: (name: string) => UnscheduledKernel, args: readonly string[]): Step {
    const name = this.kernelNames.fresh(hint)
    this.kernels.set(name, make(name))
    return { kind: 'kernel', kernel: name, args }
  }
}

export const renameKernel = (kernel: Kernel, name: string): Kernel => ({ ...kernel, name })
