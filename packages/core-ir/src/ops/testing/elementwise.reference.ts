/** @file Reference for the element-wise ops. */
import type { HostTensor } from '../../host-tensor.ts'
import type { BinaryOp, UnaryOp } from '../../scalar/scalar-ops.ts'
import { type Element, build, read } from './reference-tensor.ts'

const roundEven = (x: number): number => {
  const low = Math.floor(x)
  if (x - low !== 0.5) return Math.round(x)
  return low % 2 === 0 ? low : low + 1
}
/** Σ (−1)ⁿ x²ⁿ⁺¹ / (n! (2n + 1)), good to 1e-9 for |x| ≤ 4. */
const erf = (x: number): number => {
  if (Math.abs(x) > 4) return Math.sign(x)
  let term = x,
    total = x
  for (let n = 1; n < 120; n++) {
    term *= (-x * x) / n
    total += term / (2 * n + 1)
  }
  return (total * 2) / Math.sqrt(Math.PI)
}

const onFloats: Record<Exclude<UnaryOp, 'not'>, (x: number) => number> = {
  neg: x => 0 - x,
  abs: x => (x < 0 ? -x : x),
  floor: x => Math.floor(x),
  ceil: x => Math.ceil(x),
  trunc: x => (x < 0 ? Math.ceil(x) : Math.floor(x)),
  round: roundEven,
  sqrt: x => x ** 0.5,
  isnan: x => (x === x ? 0 : 1),
  exp: x => Math.E ** x,
  log: x => Math.log2(x) * Math.LN2,
  sin: x => Math.cos(x - Math.PI / 2),
  cos: x => Math.sin(x + Math.PI / 2),
  tanh: x => 1 - 2 / (Math.exp(2 * x) + 1),
  erf,
  sigmoid: x => 1 / (1 + Math.exp(-x)),
}

export const unaryReference = (op: UnaryOp, x: HostTensor): HostTensor =>
  build(op === 'isnan' ? 'bool' : x.dtype, x.shape, at => {
    const value = read(x, at)
    if (op === 'not') return typeof value === 'bigint' ? -value - 1n : 1 - value
    if (typeof value !== 'bigint') return onFloats[op](value)
    return op === 'neg' ? -value : value < 0n ? -value : value
  })

const truth = (b: boolean): number => (b ? 1 : 0)
const comparisons = {
  eq: (x, y) => truth(x === y),
  ne: (x, y) => truth(x !== y),
  lt: (x, y) => truth(x < y),
  le: (x, y) => truth(x <= y),
  gt: (x, y) => truth(x > y),
  ge: (x, y) => truth(x >= y),
} as const satisfies Partial<Record<BinaryOp, (x: Element, y: Element) => number>>
type Comparison = keyof typeof comparisons
const isComparison = (op: BinaryOp): op is Comparison => op in comparisons

type Arithmetic = Exclude<BinaryOp, Comparison>
const floats: Partial<Record<Arithmetic, (x: number, y: number) => number>> = {
  add: (x, y) => x + y,
  sub: (x, y) => x - y,
  mul: (x, y) => x * y,
  div: (x, y) => x / y,
  rem: (x, y) => x - Math.trunc(x / y) * y,
  min: (x, y) => (x < y ? x : y),
  max: (x, y) => (x > y ? x : y),
  pow: (x, y) => x ** y,
  and: (x, y) => truth(x + y === 2),
  or: (x, y) => truth(x + y > 0),
  xor: (x, y) => truth(x !== y),
}
const integers: Partial<Record<Arithmetic, (x: bigint, y: bigint, bits: bigint) => bigint>> = {
  add: (x, y) => x + y,
  sub: (x, y) => x - y,
  mul: (x, y) => x * y,
  div: (x, y) => (y === 0n ? 0n : x / y),
  rem: (x, y) => (y === 0n ? 0n : x % y),
  min: (x, y) => (x < y ? x : y),
  max: (x, y) => (x > y ? x : y),
  and: (x, y) => x & y,
  or: (x, y) => x | y,
  xor: (x, y) => x ^ y,
  shl: (x, y, bits) => x * 2n ** (((y % bits) + bits) % bits),
  shr: (x, y, bits) => x >> (((y % bits) + bits) % bits),
}

export const binaryReference = (op: BinaryOp, x: HostTensor, y: HostTensor): HostTensor =>
  build(isComparison(op) ? 'bool' : x.dtype, x.shape, at => {
    const a = read(x, at),
      b = read(y, at)
    if (isComparison(op)) return comparisons[op](a, b)
    if (typeof a === 'bigint') return integers[op]?.(a, BigInt(b), BigInt(x.data.BYTES_PER_ELEMENT * 8)) ?? NaN
    return floats[op]?.(a, Number(b)) ?? NaN
  })

export const reluReference = (x: HostTensor): HostTensor =>
  build(x.dtype, x.shape, at => {
    const value = read(x, at)
    return value < 0 ? (typeof value === 'bigint' ? 0n : 0) : value
  })

export const selectReference = (c: HostTensor, x: HostTensor, y: HostTensor): HostTensor =>
  build(x.dtype, x.shape, at => (read(c, at) === 1 ? read(x, at) : read(y, at)))

const activation =
  (f: (x: number) => number) =>
  (x: HostTensor): HostTensor =>
    build(x.dtype, x.shape, at => f(Number(read(x, at))))
export const siluReference = activation(x => x / (1 + Math.exp(-x)))
export const geluReference = activation(x => 0.5 * x * (1 + erf(x / Math.SQRT2)))
export const geluTanhReference = activation(
  x => 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3))),
)

export const castReference = (x: HostTensor, dtype: HostTensor['dtype']): HostTensor =>
  build(dtype, x.shape, at => {
    const value = read(x, at)
    if (dtype === 'bool') return truth(value !== 0 && value !== 0n)
    if (dtype === 'f16' || dtype === 'f32' || dtype === 'f64') return Number(value)
    if (x.dtype === 'bool' || typeof value === 'bigint') return BigInt(value)
    const bits = { i64: 64, u64: 64, i32: 32, u32: 32, i16: 16, u16: 16, i8: 8, u8: 8 }[dtype]
    const [low, high] = dtype.startsWith('u')
      ? [0n, 2n ** BigInt(bits) - 1n]
      : [-(2n ** BigInt(bits - 1)), 2n ** BigInt(bits - 1) - 1n]
    if (Number.isNaN(value)) return 0n
    if (!Number.isFinite(value)) return value > 0 ? high : low
    const whole = BigInt(Math.trunc(value))
    return whole < low ? low : whole > high ? high : whole
  })
