/** @file Running sums. */
import { isConst, sub } from '../index/index-expr.ts'
import { isFloat } from '../scalar/scalar-ops.ts'
import { literal } from '../scalar/scalar.ts'
import { defineOp } from './define-op.ts'
import { isWord } from './grid-rows.ts'
import { gridScan } from './grid-scan.ts'
import { axisInRange, canonicalAxis, dim, dtypeIs, rank, spliced } from './shapes.ts'

export const cumsum = defineOp({
  name: 'cumsum',
  doc: 'Running sum along an axis, added up in order. Integers wrap.',
  class: 'loops',
  family: 'scan',
  operands: ['x'],
  attrs: {
    axis: { kind: 'int', default: -1, doc: 'The axis that is summed along.' },
    exclusive: { kind: 'bool', default: false, doc: 'An element is not part of its own sum.' },
    reverse: { kind: 'bool', default: false, doc: 'Runs from the end.' },
  },
  canonical: ({ x }, a) => ({ ...a, axis: canonicalAxis(a.axis, rank(x)) }),
  constraints: [dtypeIs('x', 'number'), axisInRange],
  infer: ({ x }) => [x],
  loops: (b, { x }, [out], { axis, exclusive, reverse }) => {
    if (out === undefined) return
    const { dtype, shape } = x.type
    const extent = dim(x.type, axis)
    b.forAll(spliced(shape, axis, []), others => {
      const total = b.alloc('total', dtype, [])
      b.store(total, [], literal(0, dtype))
      b.for('k', extent, k => {
        const along = reverse ? sub(sub(extent, 1), k) : k
        const at = [...others.slice(0, axis), along, ...others.slice(axis)]
        if (exclusive) b.store(out, at, total.at())
        b.accumulate(total, [], 'sum', x.at(...at))
        if (!exclusive) b.store(out, at, total.at())
      })
    })
  },
  forms: [
    {
      name: 'grid',
      doc: 'Threads of a workgroup sum a few elements each, and scan those sums. Another order of adding.',
      machine: 'grid',
      suits: ({ x }, { axis }, mayReassociate) => {
        const extent = dim(x.type, axis)
        const isLong = !isConst(extent) || extent.value >= 64
        // Columns are read side by side by threads of their own.
        return isLong && axis === rank(x.type) - 1 && isWord(x.type.dtype) && (mayReassociate || !isFloat(x.type.dtype))
      },
      write: (b, { x }, [out], attrs) => {
        if (out !== undefined) gridScan(b, x, out, attrs)
      },
    },
  ],
  gradient: ([g], { builder: b }, a) =>
    g === undefined ? {} : { x: b.one('cumsum', [g], { ...a, reverse: !a.reverse }) },
  example: `graph example(%x: f32[2,3]) {
  %0 = cumsum(%x, axis=1) : f32[2,3]
  return y = %0
}`,
})
