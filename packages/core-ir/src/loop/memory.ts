/** @file A buffer while the interpreter runs: its elements, its bounds, and which of them were written. */
import { type DType, type HostArray, arrayOf, bufferAlignment, bytesOf } from '@quern/artifact'
import { fromHalfBits, toHalfBits } from '../scalar/half.ts'
import type { ScalarValue } from '../scalar/value.ts'

export interface Elements {
  get(at: number): ScalarValue
  set(at: number, value: ScalarValue): void
}

/** The elements of a host array as scalars. */
export const elementsOf = (dtype: DType, data: HostArray): Elements => {
  if (data instanceof BigInt64Array || data instanceof BigUint64Array)
    return { get: at => data[at] ?? 0n, set: (at, value) => void (data[at] = BigInt(value)) }
  if (dtype === 'f16')
    return { get: at => fromHalfBits(data[at] ?? 0), set: (at, value) => void (data[at] = toHalfBits(Number(value))) }
  if (dtype === 'bool')
    return { get: at => (data[at] === 0 ? 0 : 1), set: (at, value) => void (data[at] = Number(value)) }
  return { get: at => data[at] ?? 0, set: (at, value) => void (data[at] = Number(value)) }
}

/** Physical extents, strides and offset of a buffer, as numbers. */
export interface Extents {
  readonly shape: readonly number[]
  readonly strides: readonly number[]
  readonly offset: number
}

/** Elements from the start of the memory to the last one that the extents reach. */
export const spanOf = ({ shape, strides, offset }: Extents): number =>
  shape.includes(0) ? 0 : shape.reduce((last, d, i) => last + (d - 1) * (strides[i] ?? 0), offset) + 1

/** Elements up to the padding. */
export const paddedSpan = (span: number, dtype: DType): number => {
  const each = bytesOf[dtype]
  return (Math.ceil((span * each) / bufferAlignment) * bufferAlignment) / each
}

/** What may be known of each element: who touched it since the last barrier. */
export interface AccessLog {
  read(at: number, indices: readonly number[]): void
  write(at: number, indices: readonly number[]): void
}

export class Memory {
  readonly name: string
  readonly dtype: DType
  /** Whether the kernel allocates it: then every subscript must be inside, and no element is read before it is written. */
  readonly local: boolean
  /** Among invocations. */
  log: AccessLog | undefined
  /** Among lanes of a vector axis. */
  lanes: AccessLog | undefined
  /** Whether the last {@link renew} changed its size. */
  resized = false
  private elements: Elements
  private extents: Extents
  private limit: number
  private written: Uint32Array | undefined
  private generation = 1

  constructor(name: string, dtype: DType, extents: Extents, data?: HostArray) {
    this.name = name
    this.dtype = dtype
    this.local = data === undefined
    this.extents = extents
    this.limit = data === undefined ? spanOf(extents) : paddedSpan(spanOf(extents), dtype)
    this.elements = elementsOf(dtype, data ?? new arrayOf[dtype](this.limit))
    this.written = data === undefined ? new Uint32Array(this.limit) : undefined
  }

  get size(): number {
    return this.limit
  }

  /** Makes local memory anew: nothing in it is written. */
  renew(extents: Extents): void {
    const span = spanOf(extents)
    this.resized = span !== this.limit
    if (this.resized) {
      this.limit = span
      this.elements = elementsOf(this.dtype, new arrayOf[this.dtype](span))
      this.written = new Uint32Array(span)
    }
    this.extents = extents
    this.generation++
  }

  /** The position of an element, or what is wrong with it. */
  locate(indices: readonly number[], writes: boolean): number | 'out-of-bounds' {
    const { shape, strides, offset } = this.extents
    let at = offset
    for (let d = 0; d < shape.length; d++) {
      const i = indices[d] ?? 0
      at += i * (strides[d] ?? 0)
      // Reading past a row's end is legal in a padded buffer, writing there is not. The first dim ends at the padding.
      if ((this.local || (writes && d > 0)) && (i < 0 || i >= (shape[d] ?? 0))) return 'out-of-bounds'
    }
    if (!(at >= 0 && at < this.limit)) return 'out-of-bounds'
    return at
  }

  /** Params always are. */
  isWritten(at: number): boolean {
    return this.written === undefined || this.written[at] === this.generation
  }

  get(at: number): ScalarValue {
    return this.elements.get(at)
  }
  set(at: number, value: ScalarValue): void {
    this.elements.set(at, value)
    if (this.written !== undefined) this.written[at] = this.generation
  }
}
export type Fault = 'out-of-bounds' | 'uninitialised'
