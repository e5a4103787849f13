/** @file Rules on ops that only move elements. */
import { type Node, type Value, any, node, rule } from '@quern/core-ir'

const valueOf = (values: Readonly<Record<string, Value>>, name: string): Value => {
  const value = values[name]
  if (value === undefined) throw new Error(`the pattern binds no ${name}`)
  return value
}
const perm = (n: Node | undefined): readonly number[] => (n?.attrs['perm'] ?? []) as readonly number[]
const sameType = (a: Value, b: Value | undefined): boolean =>
  b !== undefined &&
  a.type.dtype === b.type.dtype &&
  a.type.shape.length === b.type.shape.length &&
  a.type.shape.every((d, i) => d.key === b.type.shape[i]?.key)

export const dropDoubleTranspose = rule({
  name: 'drop-double-transpose',
  doc: 'transpose(transpose(x, p), q) → transpose(x, p∘q)',
  numerics: 'exact',
  match: node('transpose', [node('transpose', [any('x')], { name: 'inner' })], { name: 'outer' }),
  rewrite: (b, { values, nodes }) => {
    const p = perm(nodes['inner'])
    return b.add('transpose', [valueOf(values, 'x')], { perm: perm(nodes['outer']).map(q => p[q] ?? 0) })
  },
})

export const dropIdentityTranspose = rule({
  name: 'drop-identity-transpose',
  doc: 'transpose(x, [0, 1, …]) → x',
  numerics: 'exact',
  match: node('transpose', [any('x')], { where: n => perm(n).every((p, i) => p === i) }),
  rewrite: (_, { values }) => [valueOf(values, 'x')],
})

export const dropIdentityReshape = rule({
  name: 'drop-identity-reshape',
  doc: 'reshape(x, shape of x) → x; likewise broadcast',
  numerics: 'exact',
  match: node(['reshape', 'broadcast'], [any('x')], {
    where: n => n.operands[0] !== undefined && sameType(n.operands[0], n.results[0]),
  }),
  rewrite: (_, { values }) => [valueOf(values, 'x')],
})

export const joinReshapes = rule({
  name: 'join-reshapes',
  doc: 'reshape(reshape(x, s), t) → reshape(x, t)',
  numerics: 'exact',
  match: node('reshape', [node('reshape', [any('x')])], { name: 'outer' }),
  rewrite: (b, { values, nodes }) =>
    b.add('reshape', [valueOf(values, 'x')], { shape: nodes['outer']?.attrs['shape'] ?? [] }),
})

const swapsLast = (n: Node): boolean => {
  const p = perm(n),
    r = p.length
  return r >= 2 && p.every((q, i) => q === (i === r - 1 ? r - 2 : i === r - 2 ? r - 1 : i))
}

export const absorbTransposeRhs = rule({
  name: 'absorb-transpose-rhs',
  doc: 'matmul(x, transpose(w)) → matmul(x, w, transposeRhs flipped), where the last two dims are swapped',
  numerics: 'exact',
  match: node('matmul', [any('x'), node('transpose', [any('w')], { where: swapsLast })], { name: 'mm' }),
  rewrite: (b, { values, nodes }) =>
    b.add('matmul', [valueOf(values, 'x'), valueOf(values, 'w')], {
      ...nodes['mm']?.attrs,
      transposeRhs: nodes['mm']?.attrs['transposeRhs'] !== true,
    }),
})

export const absorbTransposeLhs = rule({
  name: 'absorb-transpose-lhs',
  doc: 'matmul(transpose(x), w) → matmul(x, w, transposeLhs flipped), where the last two dims are swapped',
  numerics: 'exact',
  match: node('matmul', [node('transpose', [any('x')], { where: swapsLast }), any('w')], { name: 'mm' }),
  rewrite: (b, { values, nodes }) =>
    b.add('matmul', [valueOf(values, 'x'), valueOf(values, 'w')], {
      ...nodes['mm']?.attrs,
      transposeLhs: nodes['mm']?.attrs['transposeLhs'] !== true,
    }),
})

export const movementRules = [
  dropDoubleTranspose,
  dropIdentityTranspose,
  dropIdentityReshape,
  joinReshapes,
  absorbTransposeRhs,
  absorbTransposeLhs,
]
