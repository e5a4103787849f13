/**
 * @file Threefry-2x32 with 20 rounds (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3"): two words of counter
 * under two words of key give two random words. Additions, shifts and exclusive ors of u32 only, so every target agrees bit
 * for bit.
 */
import { type Scalar, binary, literal } from './scalar.ts'

const rotations = [13, 15, 26, 6, 17, 29, 16, 24] as const
const rounds = 20
const parity = 0x1bd11bda

type Pair = readonly [Scalar, Scalar]
const u32 = (x: number): Scalar => literal(x, 'u32')
const rotated = (x: Scalar, by: number): Scalar =>
  binary('or', binary('shl', x, u32(by)), binary('shr', x, u32(32 - by)))

/** `bind` names an intermediate result (a `let`): each is used more than once, and as one expression it would double with every round. */
export const threefry2x32 = (bind: (hint: string, value: Scalar) => Scalar, key: Pair, counter: Pair): Pair => {
  const schedule = [key[0], key[1], bind('key', binary('xor', binary('xor', key[0], key[1]), u32(parity)))]
  const keyAt = (i: number): Scalar => schedule[i % 3] ?? key[0]
  let x = bind('x', binary('add', counter[0], key[0]))
  let y = bind('y', binary('add', counter[1], key[1]))
  for (let round = 0; round < rounds; round++) {
    x = bind('x', binary('add', x, y))
    y = bind('y', binary('xor', rotated(y, rotations[round % 8] ?? 0), x))
    if (round % 4 !== 3) continue
    const injection = (round + 1) / 4
    x = bind('x', binary('add', x, keyAt(injection)))
    y = bind('y', binary('add', y, binary('add', keyAt(injection + 1), u32(injection))))
  }
  return [x, y]
}
