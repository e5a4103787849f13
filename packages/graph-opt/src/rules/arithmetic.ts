/** @file Rules on arithmetic with neutral elements, and on idempotent ops. */
import { type Value, any, node, rule } from '@quern/core-ir'

/** Whether every element of a value is this number: a constant, or a broadcast of one. */
const isFilledWith =
  (wanted: number) =>
  (value: Value): boolean => {
    const n = value.node
    if (n === undefined) return false
    if (n.op === 'broadcast') return n.operands[0] !== undefined && isFilledWith(wanted)(n.operands[0])
    const data = n.op === 'constant' ? n.attrs['data'] : undefined
    return (
      typeof data === 'object' &&
      data !== null &&
      'kind' in data &&
      data.kind === 'inline' &&
      data.values.length > 0 &&
      data.values.every(v => Object.is(Number(v), wanted))
    )
  }
const x = (values: Readonly<Record<string, Value>>): readonly Value[] | undefined => values['x'] && [values['x']]

export const addZero = rule({
  name: 'add-zero',
  doc: 'x + 0 → x',
  numerics: 'ignores-signed-zero',
  match: node('add', [any('x'), any('zero', isFilledWith(0))], { commutes: true }),
  rewrite: (_, { values }) => x(values),
})
export const mulOne = rule({
  name: 'mul-one',
  doc: 'x · 1 → x',
  numerics: 'exact',
  match: node('mul', [any('x'), any('one', isFilledWith(1))], { commutes: true }),
  rewrite: (_, { values }) => x(values),
})
export const subZero = rule({
  name: 'sub-zero',
  doc: 'x − 0 → x',
  numerics: 'exact',
  match: node('sub', [any('x'), any('zero', isFilledWith(0))]),
  rewrite: (_, { values }) => x(values),
})
export const divOne = rule({
  name: 'div-one',
  doc: 'x / 1 → x',
  numerics: 'exact',
  match: node('div', [any('x'), any('one', isFilledWith(1))]),
  rewrite: (_, { values }) => x(values),
})
export const doubleNegation = rule({
  name: 'double-negation',
  doc: '−(−x) → x',
  numerics: 'exact',
  match: node('neg', [node('neg', [any('x')])]),
  rewrite: (_, { values }) => x(values),
})

export const arithmeticRules = [addZero, mulOne, subZero, divOne, doubleNegation]
