/** @file How each intrinsic is spelled, for one value and for a vector. */
import { defect } from '../defect.ts'

interface IntrinsicSpelling {
  readonly scalar: (args: readonly string[]) => string
  /** @param relaxed whether the module may use relaxed SIMD */
  readonly vector: (args: readonly string[], relaxed: boolean) => string
}

const spellings: Readonly<Record<string, IntrinsicSpelling>> = {
  madd: {
    scalar: ([a, b, c]) => `(f32.add (f32.mul ${a} ${b}) ${c})`,
    vector: ([a, b, c], relaxed) =>
      relaxed ? `(f32x4.relaxed_madd ${a} ${b} ${c})` : `(f32x4.add (f32x4.mul ${a} ${b}) ${c})`,
  },
  nmadd: {
    scalar: ([a, b, c]) => `(f32.sub ${c} (f32.mul ${a} ${b}))`,
    vector: ([a, b, c], relaxed) =>
      relaxed ? `(f32x4.relaxed_nmadd ${a} ${b} ${c})` : `(f32x4.sub ${c} (f32x4.mul ${a} ${b}))`,
  },
}

export const intrinsicSpelling = (name: string): IntrinsicSpelling => {
  const found = spellings[name]
  if (found === undefined) throw defect(`the intrinsic ${name} has no spelling`)
  return found
}
