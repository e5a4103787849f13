/** @file Numbers that shape arithmetic meets: index expressions, and halves or quarters of them until they are rounded. */
import { type Index, add, constant, floorDiv, isConst, mul, sub } from './index-expr.ts'

/** num / den; an integer has the denominator 1. */
export interface Ratio {
  readonly num: Index
  readonly den: number
}

export const whole = (num: Index): Ratio => ({ num, den: 1 })

/** A number as a ratio: integers, and floats with few binary places. */
export const ratioOf = (value: number): Ratio | undefined => {
  if (!Number.isFinite(value)) return undefined
  for (let den = 1; den <= 1 << 16; den *= 2)
    if (Number.isSafeInteger(value * den)) return { num: constant(value * den), den }
  return undefined
}

export const addRatios = (a: Ratio, b: Ratio): Ratio =>
  a.den === b.den
    ? reduced(add(a.num, b.num), a.den)
    : reduced(add(mul(a.num, b.den), mul(b.num, a.den)), a.den * b.den)
export const negated = ({ num, den }: Ratio): Ratio => ({ num: mul(-1, num), den })
export const subRatios = (a: Ratio, b: Ratio): Ratio => addRatios(a, negated(b))
export const mulRatios = (a: Ratio, b: Ratio): Ratio => reduced(mul(a.num, b.num), a.den * b.den)

/** The value, where it is a plain number. */
export const numberOf = ({ num, den }: Ratio): number | undefined => (isConst(num) ? num.value / den : undefined)
export const floorOf = ({ num, den }: Ratio): Ratio => whole(floorDiv(num, den))
export const ceilOf = ({ num, den }: Ratio): Ratio => whole(floorDiv(add(num, den - 1), den))
/** Negative, zero or positive, where the difference is a plain number. */
export const compareRatios = (a: Ratio, b: Ratio): number | undefined => numberOf(subRatios(a, b))

/** Without the powers of two that numerator and denominator share, and other factors where everything is a number. */
const reduced = (num: Index, den: number): Ratio => {
  if (den === 1) return { num, den }
  const quotient = floorDiv(num, den)
  if (isConst(sub(mul(quotient, den), num), 0)) return whole(quotient)
  return { num, den }
}
