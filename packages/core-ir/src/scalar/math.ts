/** @file The mathematical functions in double precision, where JavaScript lacks them or differs from IEEE 754. */

/** To the nearest integer, ties to even; keeps the sign of zero. */
export const roundEven = (x: number): number => {
  if (!(Math.abs(x) < 2 ** 52)) return x
  const magic = x < 0 || Object.is(x, -0) ? -(2 ** 52) : 2 ** 52
  const rounded = x + magic - magic
  return rounded === 0 ? (magic < 0 ? -0 : 0) : rounded
}

/** Accurate to about 1e-15: a series of positive terms near zero, the continued fraction of erfc beyond. */
export const erf = (x: number): number => {
  const z = Math.abs(x)
  if (Number.isNaN(x) || x === 0) return x
  if (z > 6) return Math.sign(x)
  if (z < 2.5) {
    // erf z = 2/√π e^(−z²) Σ 2ⁿ z^(2n+1) / (2n+1)!!
    let term = x,
      total = x
    for (let n = 1; Math.abs(term) > 1e-17 * Math.abs(total); n++) {
      term *= (2 * z * z) / (2 * n + 1)
      total += term
    }
    return (2 / Math.sqrt(Math.PI)) * Math.exp(-z * z) * total
  }
  // erfc z = e^(−z²)/√π · 1 / (z + (1/2) / (z + 1 / (z + (3/2) / (z + …)))), from the tail up
  let tail = z
  for (let k = 60; k >= 1; k--) tail = z + k / 2 / tail
  return Math.sign(x) * (1 - Math.exp(-z * z) / (Math.sqrt(Math.PI) * tail))
}

export const sigmoid = (x: number): number => {
  if (x >= 0) return 1 / (1 + Math.exp(-x))
  const e = Math.exp(x)
  return e / (1 + e)
}

/** IEEE 754 pow: unlike JavaScript's, 1^y = 1 and (±1)^±∞ = 1. */
export const pow = (x: number, y: number): number =>
  x === 1 || (x === -1 && Math.abs(y) === Infinity) ? 1 : Math.pow(x, y)
