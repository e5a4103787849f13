/** @file A 64-bit FNV-1a content hash, as hex: names constants; nothing security-relevant rests on it. */
export const hashBytes = (bytes: Uint8Array): string => {
  // Two 32-bit halves: the 64-bit prime 0x100000001b3 = 2^40 + 0x1b3, by schoolbook multiplication.
  let high = 0xcbf29ce4,
    low = 0x84222325
  for (const byte of bytes) {
    low = (low ^ byte) >>> 0
    const product = low * 0x1b3
    high = (Math.imul(high, 0x1b3) + Math.floor(product / 0x1_0000_0000) + (low << 8)) >>> 0
    low = product >>> 0
  }
  return high.toString(16).padStart(8, '0') + low.toString(16).padStart(8, '0')
}
