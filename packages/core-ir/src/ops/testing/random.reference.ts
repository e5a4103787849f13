/** @file Reference for random words: Threefry-2x32, written from the paper. */
export const threefryReference = (k0: number, k1: number, c0: number, c1: number): [number, number] => {
  const keys = [k0, k1, (k0 ^ k1 ^ 0x1bd11bda) >>> 0]
  let a = (c0 + k0) >>> 0,
    b = (c1 + k1) >>> 0
  for (let r = 0; r < 20; r++) {
    const turn = [13, 15, 26, 6, 17, 29, 16, 24][r % 8] ?? 0
    a = (a + b) >>> 0
    b = (((b << turn) | (b >>> (32 - turn))) ^ a) >>> 0
    if (r % 4 === 3) {
      const n = (r + 1) / 4
      a = (a + (keys[n % 3] ?? 0)) >>> 0
      b = (b + (keys[(n + 1) % 3] ?? 0) + n) >>> 0
    }
  }
  return [a, b]
}
