/** @file Constants of every dtype, as scalars and as vectors. */
import type { DType } from '@quern/artifact'
import { lanesOf, repOf, shapeOf } from './values.ts'

const floatText = (x: number): string =>
  Number.isNaN(x) ? 'nan' : x === Infinity ? 'inf' : x === -Infinity ? '-inf' : Object.is(x, -0) ? '-0' : `${x}`

/** The nearest f16, ties to even, as a number. */
export const roundToF16 = (x: number): number => {
  const size = Math.abs(x)
  if (!Number.isFinite(x) || size === 0) return x
  const step = 2 ** Math.max(Math.floor(Math.log2(size)) - 10, -24)
  const q = size / step
  const down = Math.floor(q)
  const up = q - down > 0.5 || (q - down === 0.5 && down % 2 === 1)
  const r = (up ? down + 1 : down) * step
  return Math.sign(x) * (r >= 65520 ? Infinity : r)
}

/** The number's text, cut to what the dtype holds. */
const textOf = (d: DType, value: number | bigint): string => {
  switch (d) {
    case 'f32':
      return floatText(Math.fround(Number(value)))
    case 'f16':
      return floatText(roundToF16(Number(value)))
    case 'f64':
      return floatText(Number(value))
    case 'i64':
    case 'u64':
      return `${BigInt.asIntN(64, BigInt(value))}`
    case 'i32':
    case 'u32':
      return `${Number(BigInt.asIntN(32, BigInt(value)))}`
    case 'i16':
      return `${Number(BigInt.asIntN(16, BigInt(value)))}`
    case 'i8':
      return `${Number(BigInt.asIntN(8, BigInt(value)))}`
    case 'u16':
      return `${Number(BigInt.asUintN(16, BigInt(value)))}`
    case 'u8':
      return `${Number(BigInt.asUintN(8, BigInt(value)))}`
    case 'bool':
      return Number(value) === 0 ? '0' : '1'
  }
}

export const scalarConstant = (d: DType, value: number | bigint): string => `(${repOf[d]}.const ${textOf(d, value)})`

export const vectorConstant = (d: DType, value: number | bigint): string => {
  const lane = d === 'bool' ? (Number(value) === 0 ? '0' : '-1') : textOf(d, value)
  return `(v128.const ${shapeOf(d)}${` ${lane}`.repeat(lanesOf(d))})`
}
