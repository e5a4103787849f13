/** @file A tensor with a margin. */
import { add, sub } from '../index/index-expr.ts'
import { literal } from '../scalar/scalar.ts'
import { defineOp } from './define-op.ts'
import { rank } from './shapes.ts'

export const pad = defineOp({
  name: 'pad',
  doc: 'Adds a margin of one value before and after each dim. Symbolic margins must not be negative.',
  class: 'injective',
  operands: ['x'],
  attrs: {
    low: { kind: 'dims', doc: 'Elements before each dim.' },
    high: { kind: 'dims', doc: 'Elements after each dim.' },
    value: { kind: 'float', default: 0, doc: 'What the margin holds, converted to the dtype of x.' },
  },
  constraints: [
    {
      id: 'one-for-each-dim',
      says: 'low and high have one entry for each dim, and no constant one is negative',
      holds: ({ x }, { low, high }) =>
        low.length === rank(x) &&
        high.length === rank(x) &&
        [...low, ...high].every(d => d.kind !== 'const' || d.value >= 0),
      found: ({ x }, { low, high }) =>
        `low is [${low.map(d => d.key).join(', ')}], high [${high.map(d => d.key).join(', ')}] for rank ${rank(x)}`,
    },
  ],
  infer: ({ x }, { low, high }) => [
    { dtype: x.dtype, shape: x.shape.map((d, i) => add(d, low[i] ?? 0, high[i] ?? 0)) },
  ],
  compute: (out, { x }, { low, value }) =>
    x.atOr(
      out.map((o, i) => sub(o, low[i] ?? 0)),
      literal(x.type.dtype.endsWith('64') && x.type.dtype !== 'f64' ? Math.trunc(value) : value, x.type.dtype),
    ),
  gradient: ([g], { builder: b, operands: { x } }, { low }) =>
    g === undefined ? {} : { x: b.one('slice', [g], { starts: low, sizes: x.type.shape }) },
  example: `graph example(%x: f32[2,3]) {
  %0 = pad(%x, low=[0,1], high=[1,0], value=7) : f32[3,4]
  return y = %0
}`,
})
