/** @file Compares an output with the judge's. */

/** The largest difference, relative to the judge's largest element. Infinity for another length or for NaN. */
export const errorOf = (output: Float32Array, judge: Float32Array): number => {
  if (output.length !== judge.length) return Infinity
  let largest = 0,
    worst = 0
  for (let i = 0; i < judge.length; i++) {
    const expected = judge[i] ?? NaN
    largest = Math.max(largest, Math.abs(expected))
    const difference = Math.abs((output[i] ?? NaN) - expected)
    if (Number.isNaN(difference)) return Infinity
    worst = Math.max(worst, difference)
  }
  return worst / largest
}
