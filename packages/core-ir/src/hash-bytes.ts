/**
 * @file A 128-bit content hash, as hex: names constants; nothing security-relevant rests on it. MurmurHash3_x86_128 by Austin
 * Appleby (https://github.com/aappleby/smhasher): four 32-bit lanes, since JavaScript multiplies words of 32 bits.
 */
export const hashBytes = (bytes: Uint8Array, seed = 0): string => {
  const blocks = Math.floor(bytes.length / 16)
  let h1 = seed,
    h2 = seed,
    h3 = seed,
    h4 = seed
  const words = littleEndianWords(bytes, blocks * 4)
  for (let i = 0; i < words.length; i += 4) {
    h1 ^= mixed(words[i] ?? 0, c1, 15, c2)
    h1 = (Math.imul((rotated(h1, 19) + h2) | 0, 5) + 0x561ccd1b) | 0
    h2 ^= mixed(words[i + 1] ?? 0, c2, 16, c3)
    h2 = (Math.imul((rotated(h2, 17) + h3) | 0, 5) + 0x0bcaa747) | 0
    h3 ^= mixed(words[i + 2] ?? 0, c3, 17, c4)
    h3 = (Math.imul((rotated(h3, 15) + h4) | 0, 5) + 0x96cd1c35) | 0
    h4 ^= mixed(words[i + 3] ?? 0, c4, 18, c1)
    h4 = (Math.imul((rotated(h4, 13) + h1) | 0, 5) + 0x32ac3b17) | 0
  }
  const tail = new Uint8Array(16)
  tail.set(bytes.subarray(blocks * 16))
  const [t1 = 0, t2 = 0, t3 = 0, t4 = 0] = littleEndianWords(tail, 4)
  h1 = h1 ^ mixed(t1, c1, 15, c2) ^ bytes.length
  h2 = h2 ^ mixed(t2, c2, 16, c3) ^ bytes.length
  h3 = h3 ^ mixed(t3, c3, 17, c4) ^ bytes.length
  h4 = h4 ^ mixed(t4, c4, 18, c1) ^ bytes.length
  const joined = (a: number, b: number, c: number, d: number): readonly number[] => {
    const sum = (a + b + c + d) | 0
    return [sum, (b + sum) | 0, (c + sum) | 0, (d + sum) | 0]
  }
  const [f1 = 0, f2 = 0, f3 = 0, f4 = 0] = joined(h1, h2, h3, h4).map(avalanched)
  return joined(f1, f2, f3, f4)
    .map(h => (h >>> 0).toString(16).padStart(8, '0'))
    .join('')
}

const c1 = 0x239b961b,
  c2 = 0xab0e9789,
  c3 = 0x38b34ae5,
  c4 = 0xa1e38b93

const rotated = (x: number, by: number): number => (x << by) | (x >>> (32 - by))
const mixed = (word: number, by: number, rotate: number, then: number): number =>
  Math.imul(rotated(Math.imul(word, by), rotate), then)
const avalanched = (h: number): number => {
  const a = Math.imul(h ^ (h >>> 16), 0x85ebca6b)
  const b = Math.imul(a ^ (a >>> 13), 0xc2b2ae35)
  return b ^ (b >>> 16)
}

/** The first words of some bytes. Hashes name what is kept on disk, so they are the same on every machine. */
const littleEndianWords = (bytes: Uint8Array, count: number): Uint32Array => {
  const first = bytes.subarray(0, count * 4)
  const aligned = first.byteOffset % 4 === 0 ? first : first.slice()
  const words = new Uint32Array(aligned.buffer, aligned.byteOffset, count)
  if (new Uint8Array(Uint32Array.of(1).buffer)[0] === 1) return words
  const view = new DataView(aligned.buffer, aligned.byteOffset, count * 4)
  return Uint32Array.from({ length: count }, (_, i) => view.getUint32(i * 4, true))
}
