/** @file The intrinsics: what each means here, once; a spelling per target stands in the code generators. */
import type { DType } from '@quern/artifact'
import type { ScalarValue } from './value.ts'

export interface Intrinsic {
  readonly doc: string
  readonly args: readonly DType[]
  readonly result: DType
  /** The meaning. Where `numerics` allows several results, this is one of them. */
  evaluate(...args: readonly ScalarValue[]): ScalarValue
  /** What targets may differ in; absent: nothing, the result is bit-equal everywhere. */
  readonly numerics?: string
}

export const intrinsics: Readonly<Record<string, Intrinsic>> = {
  madd: {
    doc: 'a · b + c.',
    args: ['f32', 'f32', 'f32'],
    result: 'f32',
    numerics: 'rounded once or twice',
    evaluate: (a, b, c) => Math.fround(Math.fround(Number(a) * Number(b)) + Number(c)),
  },
  nmadd: {
    doc: 'c - a · b.',
    args: ['f32', 'f32', 'f32'],
    result: 'f32',
    numerics: 'rounded once or twice',
    evaluate: (a, b, c) => Math.fround(Number(c) - Math.fround(Number(a) * Number(b))),
  },
}

export const intrinsicNamed = (name: string): Intrinsic => {
  const found = Object.hasOwn(intrinsics, name) ? intrinsics[name] : undefined
  if (found === undefined) throw new RangeError(`no intrinsic is named ${name}`)
  return found
}
