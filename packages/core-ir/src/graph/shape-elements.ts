/**
 * @file Shape arithmetic: the elements of small tensors as expressions over dims. Found by running the index notation of the
 * ops that made them on index expressions, so no op needs a rule of its own, and an element is exactly what the op means.
 */
import type { Span } from '../diagnostics/span.ts'
import type { ConstantData, TensorType } from './graph.ts'
import {
  type Index,
  type IndexLike,
  constant,
  floorDiv,
  isConst,
  mapAtoms,
  max,
  min,
  toIndex,
} from '../index/index-expr.ts'
import { type Range, type Ranges, rangeOf } from '../index/range.ts'
import {
  type Ratio,
  addRatios,
  ceilOf,
  compareRatios,
  floorOf,
  mulRatios,
  negated,
  numberOf,
  ratioOf,
  subRatios,
  whole,
} from '../index/ratio.ts'
import type { Operand } from '../ops/define-op.ts'
import { bindOperands } from '../ops/operands.ts'
import { ops } from '../ops/registry.ts'
import { type Scalar, literal, load } from '../scalar/scalar.ts'
import { isFloat } from '../scalar/scalar-ops.ts'

/** A value of a graph, or what stands for one while a graph is being written. */
export interface ShapeSource {
  readonly type: TensorType
  readonly index: number
  readonly node:
    | {
        readonly op?: string
        readonly operands?: readonly (ShapeSource | undefined)[]
        readonly attrs?: Readonly<Record<string, unknown>>
        readonly origin?: Span | undefined
        /** Of a constant that is no node yet. */
        readonly data?: ConstantData
      }
    | undefined
}

/** Shapes have few dims; a tensor with more elements than this is data. */
const mostElements = 64
/** Chains of shape arithmetic are short; a longer one is not followed. */
const mostDepth = 256
/** No dim is larger: a tensor has to lie in memory. */
const largestDim = 2 ** 30
/** From here on, whole numbers are not exact in f32. */
const exactInFloat = 2 ** 24

export class ShapeElements {
  private readonly known = new Map<ShapeSource, readonly (Ratio | undefined)[] | undefined>()
  private readonly ranges: Ranges

  /** @param ranges of the symbols: some steps are arithmetic only for numbers that are not negative */
  constructor(ranges: Ranges) {
    this.ranges = ranges
  }

  /** Every element in row-major order, or undefined where one is no expression over dims. */
  of(value: ShapeSource): readonly Index[] | undefined {
    const found = this.ratios(value, 0)?.map(r => (r?.den === 1 ? r.num : undefined))
    return found?.every(x => x !== undefined) ? found : undefined
  }

  private ratios(value: ShapeSource, depth: number): readonly (Ratio | undefined)[] | undefined {
    if (this.known.has(value)) return this.known.get(value)
    const found = depth > mostDepth ? undefined : this.compute(value, depth)
    this.known.set(value, found)
    return found
  }

  private compute({ type, node, index }: ShapeSource, depth: number): readonly (Ratio | undefined)[] | undefined {
    const extents = type.shape.map(d => (isConst(d) ? d.value : Infinity))
    const count = extents.reduce((n, d) => n * d, 1)
    if (node === undefined || count > mostElements || Number.isNaN(count) || type.dtype === 'f16') return undefined
    const data = node.data ?? (node.op === 'constant' ? (node.attrs?.['data'] as ConstantData) : undefined)
    if (data !== undefined) return constantElements(data, count)
    const op = ops.get(node.op ?? '')
    const { operands: sources = [], attrs } = node
    if (op?.compute === undefined) return undefined
    const operands = bindOperands(
      op,
      sources.map((v, i) => v && symbolicOperand(v.type, i)),
    )
    const read = (operand: number, at: readonly number[]): Ratio | undefined => {
      const source = sources[operand]
      const elements = source && this.ratios(source, depth + 1)
      return source && elements?.[offsetIn(source.type, at)]
    }
    return placesOf(extents).map(at =>
      op.compute === undefined
        ? undefined
        : new Evaluation(read, sources, this.ranges).scalar(
            op.compute(at.map(constant), operands, attrs as never, index),
          ),
    )
  }
}

const constantElements = (data: ConstantData, count: number): readonly (Ratio | undefined)[] | undefined => {
  if (data.kind !== 'inline') return undefined
  const { values } = data
  return Array.from({ length: count }, (_, i) => ratioOf(Number(values[values.length === 1 ? 0 : i])))
}

/** Loads of operand i are of a buffer named `i`; those that may be outside say so by their guard. */
const symbolicOperand = (type: TensorType, operand: number): Operand => ({
  type,
  at: (...indices: readonly IndexLike[]) => load(`${operand}`, type.dtype, indices.map(toIndex)),
  atOr: (indices, fill) => load(`${operand}`, type.dtype, indices.map(toIndex), { guard: literal(true, 'bool'), fill }),
})

const placesOf = (extents: readonly number[]): number[][] =>
  extents.reduce<number[][]>((places, d) => places.flatMap(p => Array.from({ length: d }, (_, i) => [...p, i])), [[]])

const offsetIn = (type: TensorType, at: readonly number[]): number =>
  type.shape.reduce((offset, d, i) => offset * (isConst(d) ? d.value : 0) + (at[i] ?? 0), 0)

/** One element of one op. */
class Evaluation {
  private readonly axes = new Map<string, number>()
  private readonly read: (operand: number, at: readonly number[]) => Ratio | undefined
  private readonly operands: readonly (ShapeSource | undefined)[]
  private readonly ranges: Ranges

  constructor(read: Evaluation['read'], operands: readonly (ShapeSource | undefined)[], ranges: Ranges) {
    this.read = read
    this.operands = operands
    this.ranges = ranges
  }

  scalar(x: Scalar): Ratio | undefined {
    switch (x.kind) {
      case 'const':
        return ratioOf(Number(x.value))
      case 'index': {
        const index = this.index(x.index)
        return index && whole(index)
      }
      case 'load':
        return this.load(x)
      case 'unary':
        return this.unary(x)
      case 'binary':
        return this.binary(x)
      case 'select': {
        const condition = this.scalar(x.condition)
        const decided = condition && numberOf(condition)
        return decided === undefined ? undefined : this.scalar(decided === 0 ? x.otherwise : x.then)
      }
      case 'cast':
        return this.cast(x)
      case 'reduce':
        return this.reduce(x)
      case 'ref':
      case 'bitcast':
      case 'intrinsic':
        return undefined
    }
  }

  /** Axes of reducers become numbers, and what was read from data becomes what it is. */
  private index(x: Index): Index | undefined {
    let unknown = false
    const found = mapAtoms(x, atom => {
      if (atom.kind === 'var') {
        const at = this.axes.get(atom.name)
        return at === undefined ? undefined : constant(at)
      }
      if (atom.kind !== 'value') return undefined
      const value = this.scalar(atom.scalar)
      if (value?.den === 1) return value.num
      unknown = true
      return undefined
    })
    return unknown ? undefined : found
  }

  private load(x: Extract<Scalar, { kind: 'load' }>): Ratio | undefined {
    const operand = Number(x.buffer)
    const shape = this.operands[operand]?.type.shape ?? []
    const at = x.indices.map(i => this.index(i)).map(i => (i !== undefined && isConst(i) ? i.value : undefined))
    if (!at.every(i => i !== undefined)) return undefined
    const inside = at.every((i, d) => {
      const extent = shape[d]
      return i >= 0 && extent !== undefined && isConst(extent) && i < extent.value
    })
    if (inside) return this.read(operand, at)
    // Of a dim that is a symbol, only its bound says what no size of it reaches.
    const outside = at.some((i, d) => i < 0 || rangeOf(shape[d] ?? constant(0), this.ranges).max <= i)
    return outside && x.fill !== undefined ? this.scalar(x.fill) : undefined
  }

  private unary({ op, operand }: Extract<Scalar, { kind: 'unary' }>): Ratio | undefined {
    const x = this.scalar(operand)
    if (x === undefined) return undefined
    switch (op) {
      case 'neg':
        return operand.dtype.startsWith('u') ? undefined : negated(x)
      case 'floor':
        return floorOf(x)
      case 'ceil':
        return ceilOf(x)
      case 'trunc':
        return this.isAtLeast(x, 0) ? floorOf(x) : undefined
      case 'abs':
        return this.isAtLeast(x, 0) ? x : undefined
      default:
        return undefined
    }
  }

  private binary({ op, lhs, rhs }: Extract<Scalar, { kind: 'binary' }>): Ratio | undefined {
    const a = this.scalar(lhs),
      b = this.scalar(rhs)
    if (a === undefined || b === undefined) return undefined
    const { dtype } = lhs
    switch (op) {
      case 'add':
        return this.fitting(addRatios(a, b), dtype)
      case 'sub':
        return this.fitting(subRatios(a, b), dtype)
      case 'mul':
        return this.fitting(mulRatios(a, b), dtype)
      case 'div': {
        const divisor = numberOf(b)
        if (isFloat(dtype)) {
          const inverse = divisor === undefined || divisor === 0 ? undefined : ratioOf(1 / divisor)
          return inverse && mulRatios(a, inverse)
        }
        // Integers are divided towards zero, which is down only for what is not negative.
        return this.isAtLeast(a, 0) && this.isAtLeast(b, 1) ? whole(floorDiv(a.num, b.num)) : undefined
      }
      case 'min':
      case 'max': {
        if (a.den !== 1 || b.den !== 1) return undefined
        return whole(op === 'min' ? min(a.num, b.num) : max(a.num, b.num))
      }
      case 'eq':
      case 'ne':
      case 'lt':
      case 'le':
      case 'gt':
      case 'ge':
        return this.compared(op, a, b)
      case 'and':
      case 'or': {
        const [p, q] = [numberOf(a), numberOf(b)]
        if (dtype !== 'bool' || p === undefined || q === undefined) return undefined
        return whole(constant(op === 'and' ? p * q : Math.max(p, q)))
      }
      default:
        return undefined
    }
  }

  private compared(op: 'eq' | 'ne' | 'lt' | 'le' | 'gt' | 'ge', a: Ratio, b: Ratio): Ratio | undefined {
    const truth = (x: boolean): Ratio => whole(constant(x ? 1 : 0))
    const gap = compareRatios(a, b)
    if (gap !== undefined)
      return truth({ eq: gap === 0, ne: gap !== 0, lt: gap < 0, le: gap <= 0, gt: gap > 0, ge: gap >= 0 }[op])
    // What a dim's bounds settle for all its values.
    const difference = subRatios(a, b)
    const { min: low, max: high } = this.range(difference)
    if (low > 0) return truth(op === 'gt' || op === 'ge' || op === 'ne')
    if (high < 0) return truth(op === 'lt' || op === 'le' || op === 'ne')
    if (low >= 0 && (op === 'ge' || op === 'lt')) return truth(op === 'ge')
    if (high <= 0 && (op === 'le' || op === 'gt')) return truth(op === 'le')
    return undefined
  }

  private cast({ operand, dtype }: Extract<Scalar, { kind: 'cast' }>): Ratio | undefined {
    const x = this.scalar(operand)
    if (x === undefined) return undefined
    switch (dtype) {
      case 'i64':
      case 'i32':
      case 'u64':
      case 'u32': {
        if (dtype.startsWith('u') && !this.isAtLeast(x, 0)) return undefined
        if (x.den === 1) return this.fitting(x, dtype)
        return this.isAtLeast(x, 0) ? floorOf(x) : undefined
      }
      case 'f32':
      case 'f64':
        return this.fitting(x, dtype)
      default: {
        const value = numberOf(x)
        return dtype === 'bool' && value !== undefined ? whole(constant(value === 0 ? 0 : 1)) : undefined
      }
    }
  }

  private reduce({ reducer, axes, body }: Extract<Scalar, { kind: 'reduce' }>): Ratio | undefined {
    const extents = axes.map(a => this.index(a.extent)).map(e => (e !== undefined && isConst(e) ? e.value : undefined))
    if (!extents.every(e => e !== undefined) || extents.reduce((n, d) => n * d, 1) > mostElements) return undefined
    let result: Ratio | undefined
    for (const at of placesOf(extents)) {
      axes.forEach((a, i) => this.axes.set(a.name, at[i] ?? 0))
      const next = this.scalar(body)
      if (next === undefined) return undefined
      if (result === undefined) result = next
      else if (reducer === 'sum') result = addRatios(result, next)
      else if (reducer === 'prod') result = mulRatios(result, next)
      else if ((reducer === 'min' || reducer === 'max') && result.den === 1 && next.den === 1)
        result = whole(reducer === 'min' ? min(result.num, next.num) : max(result.num, next.num))
      else return undefined
      result = this.fitting(result, body.dtype)
      if (result === undefined) return undefined
    }
    if (result !== undefined) return result
    return reducer === 'sum' ? whole(constant(0)) : reducer === 'prod' ? whole(constant(1)) : undefined
  }

  private range({ num, den }: Ratio, most = Infinity): Range {
    const ranges =
      most === Infinity
        ? this.ranges
        : new Map([...this.ranges].map(([name, r]) => [name, { ...r, max: Math.min(r.max, most) }]))
    const { min: low, max: high } = rangeOf(num, ranges)
    return { min: low / den, max: high / den }
  }

  private isAtLeast(x: Ratio, least: number): boolean {
    return this.range(x).min >= least
  }

  /**
   * The number, unless it may leave what the dtype counts exactly. Of 64 bits nothing that counts elements in memory leaves;
   * for fewer, a dim needs an upper bound, or counts as below 2^30.
   */
  private fitting(x: Ratio, dtype: Scalar['dtype']): Ratio | undefined {
    const wide = dtype === 'i64' || dtype === 'u64' || dtype === 'f64'
    const { min: low, max: high } = wide ? this.range(x) : this.range(x, largestDim)
    if (dtype.startsWith('u') && low < 0) return undefined
    const limit = dtype === 'i32' || dtype === 'u32' ? 2 ** 31 : dtype === 'f32' ? exactInFloat : 2 ** 53
    const outside = (end: number): boolean => (wide ? Number.isFinite(end) : true) && Math.abs(end) > limit
    return outside(low) || outside(high) ? undefined : x
  }
}
