/** @file The first few elements of a sorted axis, without sorting the rest. */
import { type Index, constant, fromScalar, min, sub } from '../index/index-expr.ts'
import type { LoopBuilder } from '../loop/builder.ts'
import { type Scalar, binary, cast, indexScalar, literal } from '../scalar/scalar.ts'
import { filled } from './calculus.ts'
import { type LoopBuffer, defineOp } from './define-op.ts'
import { before } from './order.ts'
import { axisInRange, canonicalAxis, dim, dtypeIs, rank, spliced } from './shapes.ts'

export const sortFirst = defineOp({
  name: 'sort-first',
  doc: 'The first elements that sort gives along an axis, and where each one stood. For few of many: the others are looked at once.',
  class: 'loops',
  family: 'sort',
  operands: ['x'],
  attrs: {
    count: { kind: 'int', doc: 'How many.' },
    axis: { kind: 'int', default: -1, doc: 'The axis that is sorted.' },
    descending: { kind: 'bool', default: false, doc: 'Largest first.' },
    dtype: { kind: 'dtype', default: 'i32', oneOf: ['i32', 'i64'], doc: 'Of the positions.' },
  },
  canonical: ({ x }, a) => ({ ...a, axis: canonicalAxis(a.axis, rank(x)) }),
  constraints: [
    dtypeIs('x', 'number'),
    axisInRange,
    {
      id: 'count-in-range',
      says: '0 ≤ count ≤ dim(x, axis)',
      holds: (_, { count }) => count >= 0,
      requires: ({ x }, { count, axis }) => [sub(dim(x, axis), count)],
      found: ({ x }, { count, axis }) => `count is ${count} of ${dim(x, axis).key}`,
    },
  ],
  infer: ({ x }, { count, axis, dtype }) => {
    const shape = spliced(x.shape, axis, [constant(count)])
    return [
      { dtype: x.dtype, shape },
      { dtype, shape },
    ]
  },
  loops: (b, { x }, [values, positions], { count, axis, descending }) => {
    if (values === undefined || positions === undefined || count === 0) return
    b.forAll(spliced(x.type.shape, axis, []), others => {
      const at = (k: Index): Index[] => [...others.slice(0, axis), k, ...others.slice(axis)]
      b.for('i', dim(x.type, axis), i => {
        const element = b.let('element', x.at(...at(i)))
        const held = b.let('held', binary('min', indexScalar(i), literal(count, 'i32')))
        const last = values.at(...at(constant(count - 1)))
        // Equal ones stood earlier, and stay before it.
        b.if(binary('or', binary('lt', held, literal(count, 'i32')), before(element, last, descending)), () =>
          insert(b, values, positions, at, { element, position: i, held, count, descending }),
        )
      })
    })
  },
  gradient: ([g], { builder: b, operands: { x }, results: [, positions] }, { axis }) =>
    g === undefined || positions === undefined
      ? {}
      : { x: b.one('scatter', [filled(b, 0, x.type), positions, g], { axis, reduction: 'add' }) },
  example: `graph example(%x: f32[2,5]) {
  %0, %1 = sort-first(%x, count=2, axis=1) : f32[2,2], i32[2,2]
  return values = %0, positions = %1
}`,
})

interface Insertion {
  readonly element: Scalar
  readonly position: Index
  /** How many are held before it. */
  readonly held: Scalar
  readonly count: number
  readonly descending: boolean
}

/** Moves what comes after the element one place on, from the end, and puts it there. */
const insert = (
  b: LoopBuilder,
  values: LoopBuffer,
  positions: LoopBuffer,
  at: (k: Index) => Index[],
  { element, position, held, count, descending }: Insertion,
): void => {
  const end = b.let('end', binary('min', held, literal(count - 1, 'i32')))
  const place = b.alloc('place', 'i32', [])
  b.store(place, [], end)
  b.for('j', min(count - 1, fromScalar(end)), j => {
    const to = b.let('to', binary('sub', end, indexScalar(j)))
    const from = b.let('from', binary('sub', to, literal(1, 'i32')))
    const other = b.let('other', values.at(...at(fromScalar(from))))
    b.if(before(element, other, descending), () => {
      b.store(values, at(fromScalar(to)), other)
      b.store(positions, at(fromScalar(to)), positions.at(...at(fromScalar(from))))
      b.store(place, [], from)
    })
  })
  const put = b.let('put', place.at())
  b.store(values, at(fromScalar(put)), element)
  b.store(positions, at(fromScalar(put)), cast(indexScalar(position), positions.type.dtype))
}
