/** @file Literals name exactly the value meant. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { spellLiteral } from './literals.ts'

const spell = (value: number, dtype: 'f32' | 'i32' | 'u32' | 'bool' | 'i8'): string =>
  spellLiteral(value, dtype, dtype === 'i8' ? 'i32' : dtype, bits => `from_bits(${bits})`)

test('every finite float reads back as itself', () => {
  fc.assert(
    fc.property(fc.float({ noNaN: true, noDefaultInfinity: true }), x => {
      const code = spell(x, 'f32')
      const plain = /^\(?(-?\d+(?:\.\d+)?(?:e[+-]\d+)?)f\)?$/.exec(code)?.[1]
      if (Object.is(x, -0)) expect(code).toBe('from_bits(0x80000000u)')
      else expect(Math.fround(Number(plain)), code).toBe(x)
    }),
    { numRuns: 1000 },
  )
})

test('what WGSL has no literal for is spelled by bits', () => {
  expect(spell(Number.NaN, 'f32')).toBe('from_bits(0x7fc00000u)')
  expect(spell(-Infinity, 'f32')).toBe('from_bits(0xff800000u)')
  expect(spell(0.1, 'f32')).toBe('0.1f')
  expect(spell(-2147483648, 'i32')).toBe('(-2147483647i - 1i)')
  expect(spell(-7, 'i32')).toBe('(-7i)')
  expect(spell(4294967295, 'u32')).toBe('4294967295u')
  expect(spell(1, 'bool')).toBe('true')
})
