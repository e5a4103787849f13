/** @file Stable sorting along an axis. */
import { type Index, add, ceilDiv, fromScalar, isConst, mul } from '../index/index-expr.ts'
import type { LoopBuilder } from '../loop/builder.ts'
import { type Scalar, binary, indexScalar, literal, unary } from '../scalar/scalar.ts'
import { filled } from './calculus.ts'
import { type LoopBuffer, defineOp } from './define-op.ts'
import { isWord, mostThreads, round, rowsOfGrid } from './grid-rows.ts'
import { before } from './order.ts'
import { radixSort } from './radix-sort.ts'
import { axisInRange, canonicalAxis, dim, dtypeIs, rank, spliced } from './shapes.ts'

export const sort = defineOp({
  name: 'sort',
  doc: 'Sorts along an axis: the values in order, and where each one stood. Equal values keep their order; NaN counts as the largest; −0 and +0 are equal.',
  class: 'loops',
  family: 'sort',
  operands: ['x'],
  attrs: {
    axis: { kind: 'int', default: -1, doc: 'The axis that is sorted.' },
    descending: { kind: 'bool', default: false, doc: 'Largest first.' },
    dtype: { kind: 'dtype', default: 'i32', oneOf: ['i32', 'i64'], doc: 'Of the positions.' },
  },
  canonical: ({ x }, a) => ({ ...a, axis: canonicalAxis(a.axis, rank(x)) }),
  constraints: [dtypeIs('x', 'number'), axisInRange],
  infer: ({ x }, { dtype }) => [x, { dtype, shape: x.shape }],
  loops: (b, { x }, [values, positions], { axis, descending }) => {
    if (values === undefined || positions === undefined) return
    const extent = dim(x.type, axis)
    b.forAll(spliced(x.type.shape, axis, []), others => {
      const at = (k: Index): Index[] => [...others.slice(0, axis), k, ...others.slice(axis)]
      b.for('k', extent, k => {
        b.store(values, at(k), x.at(...at(k)))
        b.store(positions, at(k), indexScalar(k, positions.type.dtype === 'i64' ? 'i64' : 'i32'))
      })
      const each: EachPair = (pairs, body) => b.for('i', pairs, body)
      network(b, extent, each, false, (p, q) => exchange(b, values, positions, at(p), at(q), descending))
    })
  },
  forms: [
    {
      name: 'radix',
      doc: 'Counts by the digits of every element: linear in the extent. Short rows are compared sooner than counted.',
      machine: 'thread',
      suits: ({ x }, { axis }) => {
        const extent = dim(x.type, axis)
        return !isConst(extent) || extent.value > 64
      },
      write: (b, { x }, [values, positions], { axis, descending }) => {
        if (values !== undefined && positions !== undefined) radixSort(b, x, values, positions, axis, descending)
      },
    },
    {
      name: 'grid',
      doc: 'The threads of a workgroup take the pairs of each step of the network.',
      machine: 'grid',
      suits: ({ x }, { axis }) => {
        const extent = dim(x.type, axis)
        return !isConst(extent) || extent.value >= 32
      },
      write: (b, { x }, [values, positions], { axis, descending }) => {
        if (values !== undefined && positions !== undefined) gridSort(b, x, values, positions, axis, descending)
      },
    },
  ],
  gradient: ([g], { builder: b, operands: { x }, results: [, positions] }, { axis }) =>
    g === undefined || positions === undefined
      ? {}
      : { x: b.one('scatter', [filled(b, 0, x.type), positions, g], { axis, reduction: 'add' }) },
  example: `graph example(%x: f32[2,3]) {
  %0, %1 = sort(%x, axis=1) : f32[2,3], i32[2,3]
  return values = %0, positions = %1
}`,
})

/** How the pairs of one step are visited. */
type EachPair = (pairs: number | Index, body: (i: Index) => void) => void

/**
 * A bitonic sorting network in which every comparator puts the smaller element first (a merge begins by comparing with
 * mirrored positions), so that an extent need not be a power of two: what lies behind it counts as largest and is left
 * alone. In place, n log² n comparisons; those of one step are independent. Calls `visit` with positions p < q < extent.
 * @param whole whether all threads meet after each step: then none may be left out
 */
const network = (
  b: LoopBuilder,
  extent: Index,
  each: EachPair,
  whole: boolean,
  visit: (p: Index, q: Index) => void,
): void => {
  const i32 = (n: number): Scalar => literal(n, 'i32')
  const n = indexScalar(extent)
  const stages = isConst(extent) ? Math.ceil(Math.log2(Math.max(1, extent.value))) : 31
  const pairs = isConst(extent) ? 2 ** Math.max(0, stages - 1) : extent
  const pair = (p: Scalar, q: Scalar): void => b.if(binary('lt', q, n), () => visit(fromScalar(p), fromScalar(q)))
  b.for('stage', stages, stage => {
    const half = b.let('half', binary('shl', i32(1), indexScalar(stage)))
    const steps = (): void => {
      each(pairs, i => {
        const at = indexScalar(i)
        const inside = b.let('inside', binary('and', at, binary('sub', half, i32(1))))
        const block = b.let('block', binary('shl', binary('sub', at, inside), i32(1)))
        const mirrored = binary('sub', binary('sub', binary('shl', half, i32(1)), i32(1)), inside)
        pair(b.let('p', binary('add', block, inside)), b.let('q', binary('add', block, mirrored)))
      })
      b.for('step', stage, step => {
        const distance = b.let('distance', binary('shr', half, binary('add', indexScalar(step), i32(1))))
        each(pairs, i => {
          const at = indexScalar(i)
          const inside = b.let('inside', binary('and', at, binary('sub', distance, i32(1))))
          const p = b.let('p', binary('add', binary('shl', binary('sub', at, inside), i32(1)), inside))
          pair(p, b.let('q', binary('add', p, distance)))
        })
      })
    }
    if (whole) steps()
    else b.if(binary('lt', half, n), steps)
  })
}

/** Words of a row that workgroup memory holds beside their positions. */
const mostShared = 1024

/** The network with a workgroup for each row: in its memory where that holds the row, else where the results are. */
const gridSort = (
  b: LoopBuilder,
  x: LoopBuffer,
  values: LoopBuffer,
  positions: LoopBuffer,
  axis: number,
  descending: boolean,
): void => {
  const extent = dim(x.type, axis)
  const threads = isConst(extent) ? Math.min(mostThreads, 2 ** Math.ceil(Math.log2(extent.value / 2))) : mostThreads
  const each: EachPair = (count, body) =>
    round(b, threads, t => b.for('j', ceilDiv(count, threads), j => body(add(mul(j, threads), t))))
  /** Positions below the extent. */
  const eachPlace = (body: (k: Index) => void): void =>
    each(extent, k => b.if(binary('lt', indexScalar(k), indexScalar(extent)), () => body(k)))
  rowsOfGrid(b, x.type, axis, at => {
    const isShort = isConst(extent) && extent.value <= mostShared && isWord(x.type.dtype)
    const held = isShort ? b.alloc('held', x.type.dtype, [extent], 'shared') : values
    const places = isShort ? b.alloc('places', positions.type.dtype, [extent], 'shared') : positions
    const of = (k: Index): Index[] => (isShort ? [k] : at(k))
    eachPlace(k => {
      b.store(held, of(k), x.at(...at(k)))
      b.store(places, of(k), indexScalar(k, positions.type.dtype === 'i64' ? 'i64' : 'i32'))
    })
    network(b, extent, each, true, (p, q) => exchange(b, held, places, of(p), of(q), descending))
    if (!isShort) return
    eachPlace(k => {
      b.store(values, at(k), held.at(k))
      b.store(positions, at(k), places.at(k))
    })
  })
}

/** Elements beside which their positions stand. */
interface Held {
  readonly name: string
  at(...indices: readonly Index[]): Scalar
}

const exchange = (
  b: LoopBuilder,
  values: Held,
  positions: Held,
  p: readonly Index[],
  q: readonly Index[],
  descending: boolean,
): void => {
  const x = b.let('x', values.at(...p)),
    y = b.let('y', values.at(...q))
  const i = b.let('at_x', positions.at(...p)),
    j = b.let('at_y', positions.at(...q))
  const tied = unary('not', before(x, y, descending))
  const wrong = binary('or', before(y, x, descending), binary('and', tied, binary('lt', j, i)))
  b.if(wrong, () => {
    b.store(values, p, y)
    b.store(values, q, x)
    b.store(positions, p, j)
    b.store(positions, q, i)
  })
}
