/** @file The table of scalar semantics against exact integer arithmetic and listed edge cases. */
import { type DType, dtypes } from '@quern/artifact'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { applyBinary, applyUnary, binaryFunction, unaryFunction } from './arithmetic.ts'
import { bitcastValue, castValue } from './cast.ts'
import { type BinaryOp, type UnaryOp, accepts, binaryOps, isInteger, isSigned, unaryOps } from './scalar-ops.ts'
import { type ScalarValue, bitWidth, isWide } from './value.ts'

const integers = dtypes.filter(isInteger)
const exact = (dtype: DType, x: bigint): ScalarValue => {
  const w = bitWidth[dtype],
    v = isSigned(dtype) ? BigInt.asIntN(w, x) : BigInt.asUintN(w, x)
  return isWide(dtype) ? v : Number(v)
}
const anInteger = (dtype: DType): fc.Arbitrary<bigint> =>
  fc
    .bigInt({ min: -(1n << 64n), max: 1n << 64n })
    .chain(x =>
      fc.constantFrom(x, x & 7n, -1n, 0n, 1n << BigInt(bitWidth[dtype] - 1)).map(v => BigInt(exact(dtype, v))),
    )

const model = (op: BinaryOp, dtype: DType, x: bigint, y: bigint): bigint | boolean | undefined => {
  const count = ((y % BigInt(bitWidth[dtype])) + BigInt(bitWidth[dtype])) % BigInt(bitWidth[dtype])
  switch (op) {
    case 'add':
      return x + y
    case 'sub':
      return x - y
    case 'mul':
      return x * y
    case 'div':
      return y === 0n ? 0n : x / y
    case 'rem':
      return y === 0n ? 0n : x % y
    case 'min':
      return x < y ? x : y
    case 'max':
      return x < y ? y : x
    case 'and':
      return x & y
    case 'or':
      return x | y
    case 'xor':
      return x ^ y
    case 'shl':
      return x << count
    case 'shr':
      return x >> count
    case 'eq':
      return x === y
    case 'ne':
      return x !== y
    case 'lt':
      return x < y
    case 'le':
      return x <= y
    case 'gt':
      return x > y
    case 'ge':
      return x >= y
    case 'pow':
      return undefined
  }
}

describe.each(integers)('%s', dtype => {
  test('binary ops wrap exact integers', () => {
    fc.assert(
      fc.property(anInteger(dtype), anInteger(dtype), (x, y) => {
        for (const op of Object.keys(binaryOps) as BinaryOp[]) {
          const want = model(op, dtype, x, y)
          if (want === undefined) continue
          const got = applyBinary(op, dtype, exact(dtype, x), exact(dtype, y))
          expect([op, got]).toEqual([op, typeof want === 'boolean' ? Number(want) : exact(dtype, want)])
        }
      }),
    )
  })
  test('unary ops and casts wrap exact integers', () => {
    fc.assert(
      fc.property(anInteger(dtype), fc.constantFrom(...integers), (x, to) => {
        const v = exact(dtype, x)
        expect(applyUnary('neg', dtype, v)).toBe(exact(dtype, -x))
        expect(applyUnary('abs', dtype, v)).toBe(exact(dtype, x < 0n ? -x : x))
        expect(applyUnary('not', dtype, v)).toBe(exact(dtype, ~x))
        expect(castValue(dtype, to, v)).toBe(exact(to, x))
        expect(castValue(dtype, 'bool', v)).toBe(x === 0n ? 0 : 1)
        if (bitWidth[dtype] === bitWidth[to]) expect(bitcastValue(dtype, to, v)).toBe(exact(to, x))
      }),
    )
  })
})

test('an op refuses exactly the dtypes that its row refuses', () => {
  for (const dtype of dtypes) {
    for (const [op, row] of Object.entries(unaryOps))
      expect([op, dtype, threw(() => unaryFunction(op as UnaryOp, dtype))]).toEqual([
        op,
        dtype,
        !accepts(row.accepts, dtype),
      ])
    for (const [op, row] of Object.entries(binaryOps))
      expect([op, dtype, threw(() => binaryFunction(op as BinaryOp, dtype))]).toEqual([
        op,
        dtype,
        !accepts(row.accepts, dtype),
      ])
  }
})
const threw = (f: () => unknown): boolean => {
  try {
    f()
    return false
  } catch {
    return true
  }
}

describe('floats', () => {
  test('min and max: NaN wins, −0 < +0', () => {
    expect(applyBinary('min', 'f32', 0, -0)).toBe(-0)
    expect(applyBinary('max', 'f32', -0, 0)).toBe(0)
    expect(applyBinary('min', 'f64', NaN, 1)).toBe(NaN)
    expect(applyBinary('max', 'f16', 1, NaN)).toBe(NaN)
  })
  test('comparisons with NaN', () => {
    expect(['eq', 'ne', 'lt', 'le', 'gt', 'ge'].map(op => applyBinary(op as BinaryOp, 'f32', NaN, NaN))).toEqual([
      0, 1, 0, 0, 0, 0,
    ])
  })
  test('f32 and f16 results are rounded', () => {
    expect(applyBinary('add', 'f32', 16777216, 1)).toBe(16777216)
    expect(applyBinary('mul', 'f32', 1e30, 1e30)).toBe(Infinity)
    expect(applyBinary('add', 'f16', 2048, 1)).toBe(2048)
    expect(applyBinary('add', 'f16', 65504, 16)).toBe(Infinity)
  })
  test.each([
    [0.5, 0],
    [1.5, 2],
    [2.5, 2],
    [-0.5, -0],
    [-1.5, -2],
    [0.49999999999999994, 0],
    [-0, -0],
    [2 ** 51 + 1.5, 2 ** 51 + 2],
    [1e300, 1e300],
  ])('round(%d) is %d', (x, y) => expect(applyUnary('round', 'f64', x)).toBe(y))
  test('casts to integers truncate and saturate', () => {
    expect([300, -5, 2.9, -0.5, NaN, Infinity].map(x => castValue('f32', 'u8', x))).toEqual([255, 0, 2, 0, 0, 255])
    expect([128, -129, -1.9].map(x => castValue('f32', 'i8', x))).toEqual([127, -128, -1])
    expect([3e9, -3e9].map(x => castValue('f64', 'i32', x))).toEqual([2147483647, -2147483648])
    expect([1e19, -1e19, NaN, 2 ** 53].map(x => castValue('f64', 'i64', x))).toEqual([
      2n ** 63n - 1n,
      -(2n ** 63n),
      0n,
      2n ** 53n,
    ])
    expect([1e20, -1].map(x => castValue('f64', 'u64', x))).toEqual([2n ** 64n - 1n, 0n])
    expect([NaN, 0, -0, 0.1].map(x => castValue('f32', 'bool', x))).toEqual([1, 0, 0, 1])
  })
  test('a 64-bit integer becomes the nearest f32 in one rounding', () => {
    // Between two floats 2^40 apart, just above the midpoint: rounding to double first would lose the excess.
    const x = (1n << 63n) + (1n << 39n) + 1n
    expect(castValue('u64', 'f32', x)).toBe(2 ** 63 + 2 ** 40)
    expect(castValue('u64', 'f32', x - 1n)).toBe(2 ** 63)
  })
  test('bits of floats', () => {
    expect(bitcastValue('f32', 'u32', -0)).toBe(0x80000000)
    expect(bitcastValue('u32', 'f32', 1)).toBe(2 ** -149)
    expect(bitcastValue('f64', 'i64', 1)).toBe(0x3ff0000000000000n)
    expect(bitcastValue('i16', 'f16', 0x3c00)).toBe(1)
  })
})
