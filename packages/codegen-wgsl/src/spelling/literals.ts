/** @file Literals that name exactly the value meant. */
import type { DType } from '@quern/artifact'
import { castValue, literalValue, roundFloat } from '@quern/core-ir'
import type { Held } from './types.ts'

/**
 * A WGSL literal. `fromBits` spells a float by its bits through a function call: WGSL rejects constant expressions that are
 * NaN or infinite, and −0 as a negated literal is left to the implementation's folding.
 */
export const spellLiteral = (
  value: number | bigint,
  dtype: DType,
  held: Held,
  fromBits: (bits: string) => string,
): string => {
  const v = Number(literalValue(dtype, value))
  switch (held) {
    case 'bool':
      return v === 0 ? 'false' : 'true'
    case 'u32':
      return `${v}u`
    case 'i32':
      return v === -2147483648 ? '(-2147483647i - 1i)' : v < 0 ? `(${v}i)` : `${v}i`
    case 'f32':
      return Number.isFinite(v) && !Object.is(v, -0)
        ? decimal(v, 'f')
        : fromBits(`0x${(Number.isNaN(v) ? 0x7fc00000 : bitsOf(v)).toString(16)}u`)
    case 'f16':
      return Number.isFinite(v) && !Object.is(v, -0)
        ? decimal(v, 'h')
        : `f16(${fromBits(`0x${(Number.isNaN(v) ? 0x7fc00000 : bitsOf(v)).toString(16)}u`)})`
  }
}

const bitsOf = (v: number): number => {
  const view = new DataView(new ArrayBuffer(4))
  view.setFloat32(0, Number(castValue('f64', 'f32', v)))
  return view.getUint32(0)
}

/** The shortest decimal that reads back as this value once it is rounded to the literal's type. */
const decimal = (v: number, suffix: 'f' | 'h'): string => {
  const round = roundFloat[suffix === 'f' ? 'f32' : 'f16']
  let digits = `${v}`
  for (let precision = 1; precision <= 9; precision++) {
    const shorter = Number(v.toPrecision(precision))
    if (round(shorter) !== v) continue
    digits = `${shorter}`
    break
  }
  const text = /[.e]/.test(digits) ? digits : `${digits}.0`
  return v < 0 ? `(${text}${suffix})` : `${text}${suffix}`
}
