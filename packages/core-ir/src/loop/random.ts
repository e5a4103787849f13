/** @file Seeded random numbers for the order in which the interpreter resumes its coroutines. */

export type Random = (below: number) => number

/** mulberry32: small, and good enough to vary an order. */
export const seeded = (seed: number): Random => {
  let state = seed >>> 0
  return below => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = Math.imul(state ^ (state >>> 15), state | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 2 ** 32) * below)
  }
}

/** 0 … n − 1 in random order. */
export const shuffled = (n: number, random: Random): number[] => {
  const order = Array.from({ length: n }, (_, i) => i)
  for (let i = n - 1; i > 0; i--) {
    const j = random(i + 1)
    const [a, b] = [order[i] ?? i, order[j] ?? j]
    order[i] = b
    order[j] = a
  }
  return order
}
