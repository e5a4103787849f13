/** @file What random cases of ops draw from: shapes, dtypes, attributes and values. */
import type { DType } from '@quern/artifact'
import fc from 'fast-check'
import type { Attrs } from '../../graph/graph.ts'
import type { HostTensor } from '../../host-tensor.ts'
import { type Accepts, accepts, isFloat } from '../../scalar/scalar-ops.ts'
import { type Specials, randomTensor, sixteenths, specialTensor, tensorOf } from './support.ts'

export interface Reach {
  /** What a target can hold; all dtypes where absent. */
  readonly dtypes?: readonly DType[]
  /** Extents on both sides of the boundaries of vectors and tiles too, not only small ones. */
  readonly wide?: boolean
  /** Values that are special among their dtype's, where the op's result does not depend on the order of its sums. */
  readonly specials?: Specials
}

export const allDTypes = [
  'f32',
  'f64',
  'i32',
  'i64',
  'u8',
  'i8',
  'u32',
  'bool',
  'f16',
  'i16',
  'u16',
  'u64',
] as const satisfies readonly DType[]

/** Around the lanes of a vector, and the tiles that schedules make. */
const boundaries = [5, 15, 16, 17, 33, 65]
/** The product of the extents of one call: references are slow on purpose. */
const mostElements = 2500

/** What a random case draws from; shrinks towards small shapes and plain values. */
export class Draw {
  /** Whether values are special ones, for which the meaning is that of the interpreter's table. */
  special = false
  private readonly gen: fc.GeneratorValue
  private readonly reach: Reach
  constructor(gen: fc.GeneratorValue, reach: Reach = {}) {
    this.gen = gen
    this.reach = reach
  }
  int(min: number, max: number): number {
    return this.gen(fc.integer, { min, max })
  }
  flag(): boolean {
    return this.gen(fc.boolean)
  }
  of<T>(...values: readonly T[]): T {
    const value = values[this.int(0, values.length - 1)]
    if (value === undefined) throw new RangeError('nothing to choose from')
    return value
  }
  /** Extents between `least` and `most`, or at boundaries where wide ones are wanted, up to a product of about `together`. */
  extents(rank: number, least = 0, most = 4, together = mostElements): number[] {
    let room = together
    return Array.from({ length: rank }, () => {
      const far = this.reach.wide === true ? boundaries.filter(b => b > most && b <= room) : []
      const n = this.int(least, most + 2 * far.length)
      const extent = n <= most ? n : (far[(n - most - 1) >> 1] ?? most)
      room = Math.floor(room / Math.max(1, extent))
      return extent
    })
  }
  extent(least = 0, most = 4): number {
    return this.extents(1, least, most)[0] ?? least
  }
  shape(least = 0, most = 3): number[] {
    return this.extents(this.int(least, most))
  }
  /** For ops that each element goes through by itself, or that order elements. */
  tensor(dtype: DType, shape: readonly number[]): HostTensor {
    return this.drawn(dtype, shape, this.reach.specials, randomTensor)
  }
  /** For ops that add: halves that sum exactly, and no numbers so large that the order of adding shows. */
  summands(dtype: DType, shape: readonly number[]): HostTensor {
    const { specials } = this.reach
    const small = specials === undefined || !isFloat(dtype) ? specials : { ...specials, finite: false }
    return this.drawn(dtype, shape, small, dtype === 'f16' ? sixteenths : randomTensor)
  }
  private drawn(
    dtype: DType,
    shape: readonly number[],
    specials: Specials | undefined,
    plain: (dtype: DType, shape: readonly number[], seed: number) => HostTensor,
  ): HostTensor {
    const seed = this.int(0, 0xffff)
    if (specials === undefined || this.int(0, 2) < 2) return plain(dtype, shape, seed)
    this.special = true
    return specialTensor(dtype, shape, seed, specials)
  }
  ints(shape: readonly number[], min: number, max: number, dtype: DType = 'i32'): HostTensor {
    const from = this.int(0, 0xffff)
    return tensorOf(dtype, shape, i => min + ((from + i * 7919) % (max - min + 1)))
  }
  /** One of these that the target can hold. */
  dtype(...of: readonly DType[]): DType {
    const { dtypes } = this.reach
    const held = dtypes === undefined ? of : of.filter(d => dtypes.includes(d))
    return this.of(...(held.length === 0 ? of : held))
  }
  dtypeFor(kind: Accepts): DType {
    return this.dtype(...allDTypes.filter(d => accepts(kind, d)))
  }
  number(): DType {
    return this.dtypeFor('number')
  }
  float(): DType {
    return this.dtypeFor('float')
  }
  /** Of positions that an op gives or takes. */
  position(): 'i32' | 'i64' {
    return this.dtype('i32', 'i64') === 'i64' ? 'i64' : 'i32'
  }
  /** An axis of a rank, from the front or from the back. */
  axis(rank: number): { readonly axis: number; readonly given: number } {
    const axis = this.int(0, rank - 1)
    return { axis, given: this.flag() ? axis : axis - rank }
  }
}

export interface Case {
  readonly operands: readonly (HostTensor | undefined)[]
  readonly attrs?: Attrs
  readonly expected: HostTensor | readonly HostTensor[]
}
export type Property = (d: Draw) => Case
