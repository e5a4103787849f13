/** @file Scalar expressions: names, guarded loads, data-dependent subscripts and reducers. */
import { expect, test } from 'vitest'
import * as ix from '../index/index-expr.ts'
import { argmaxOf, maxOf, sum } from '../ops/reducers.ts'
import { evaluateScalar, literalValue } from './evaluate.ts'
import { binary, bitcast, cast, indexScalar, intrinsic, literal, load, ref, select, unary } from './scalar.ts'

const data = { x: [3, 1, 4, 1, 5, NaN], k: [2, 0, 1] }
const env = {
  variables: new Map([['i', 2]]),
  refs: new Map([['t', 7]]),
  load: (buffer: string, [i = -1]: readonly number[]) => {
    const v = data[buffer as keyof typeof data][i]
    if (v === undefined) throw new RangeError(`read outside: ${buffer}[${i}]`)
    return v
  },
}
const i = ix.variable('i')

test('names, casts, selects and intrinsics', () => {
  const x = binary('add', ref('t', 'f32'), cast(indexScalar(ix.add(i, 1)), 'f32'))
  expect(evaluateScalar(x, env)).toBe(10)
  expect(evaluateScalar(select(binary('gt', x, literal(9, 'f32')), unary('neg', x), x), env)).toBe(-10)
  expect(evaluateScalar(bitcast(literal(1, 'f32'), 'i32'))).toBe(0x3f800000)
  expect(evaluateScalar(intrinsic('madd', 'f32', [x, x, x]), env)).toBe(110)
  expect(evaluateScalar(indexScalar(ix.mul(i, 3), 'i64'), env)).toBe(6n)
})
test('literals take the form of their dtype', () => {
  expect(literalValue('f32', 0.1)).toBe(Math.fround(0.1))
  expect(literalValue('u32', -1)).toBe(0xffffffff)
  expect(literalValue('u64', -1n)).toBe(2n ** 64n - 1n)
})
test('a guard that is false reads nothing', () => {
  const at = ix.add(i, 100)
  const guard = binary('lt', indexScalar(at), literal(6, 'i32'))
  expect(evaluateScalar(load('x', 'f32', [at], { guard, fill: literal(-1, 'f32') }), env)).toBe(-1)
})
test('a subscript may be data', () => {
  expect(evaluateScalar(load('x', 'f32', [ix.fromScalar(load('k', 'i32', [ix.sub(i, 2)]))]), env)).toBe(4)
})
test('reducers, also over extents that depend on outer axes, and over nothing', () => {
  const triangle = sum([3], ([a]) => sum([ix.add(a, 1)], () => literal(1, 'f32')))
  // Both reducers call their axis $k0: the inner one shadows.
  expect(evaluateScalar(triangle)).toBe(6)
  expect(evaluateScalar(maxOf([0], () => literal(1, 'i32')))).toBe(-2147483648)
  expect(
    evaluateScalar(
      maxOf([5], ([a]) => load('x', 'f32', [a])),
      env,
    ),
  ).toBe(5)
  expect(
    evaluateScalar(
      maxOf([6], ([a]) => load('x', 'f32', [a])),
      env,
    ),
  ).toBe(NaN)
  expect(
    evaluateScalar(
      argmaxOf([4], ([a]) => load('x', 'f32', [ix.sub(3, a)])),
      env,
    ),
  ).toBe(1n)
  expect(
    evaluateScalar(
      argmaxOf([6], ([a]) => load('x', 'f32', [a])),
      env,
    ),
  ).toBe(5n)
})
test('an unbound name is an error', () => {
  expect(() => evaluateScalar(ref('nobody', 'f32'))).toThrow(/nobody/)
})
