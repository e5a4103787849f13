/** @file Programs of ops that differ in one thing only, for tests that they are kept apart. */
import type { DType } from '@quern/artifact'
import { type Graph, GraphBuilder, type Value, tensorType } from '@quern/core-ir'
import { random } from './graphs.ts'

/** Words that mean something in the text of a kernel, so that a kernel known by its text would be taken for another. */
const words = [
  'any',
  'all',
  'sum',
  'prod',
  'min',
  'max',
  'true',
  'false',
  'inf',
  'nan',
  'f32',
  'i32',
  'bool',
  'abs',
  'sin',
]

interface Inputs {
  readonly rows: Value
  readonly other: Value
  readonly more: Value
  readonly flags: Value
  readonly whole: Value
}

interface Family {
  /** One member, drawn with `pick`. */
  readonly make: (b: GraphBuilder, inputs: Inputs, pick: <T>(xs: readonly T[]) => T, name: string) => Value
}

const constant = (b: GraphBuilder, values: readonly number[], dtype: DType, shape: readonly number[], name?: string) =>
  b.one('constant', [], { data: { kind: 'inline', values }, dtype, shape }, name)
const at = (b: GraphBuilder, ...shape: number[]): Value =>
  constant(
    b,
    Array.from({ length: shape.reduce((x, y) => x * y, 1) }, (_, i) => (i * 5) % 4),
    'i32',
    shape,
  )
const literals: readonly { readonly value: number; readonly dtype: DType }[] = [
  { value: 0, dtype: 'bool' },
  { value: 1, dtype: 'bool' },
  { value: 0, dtype: 'i32' },
  { value: 1, dtype: 'i32' },
  { value: 1, dtype: 'f32' },
  { value: 0.5, dtype: 'f32' },
  { value: Infinity, dtype: 'f32' },
]
const reductions = ['none', 'add', 'mul', 'min', 'max'] as const

/** By what the members of each differ in. */
const families: Readonly<Record<string, Family>> = {
  'the reducer of truth values': {
    make: (b, { flags }, pick, name) => b.one(pick(['reduce-any', 'reduce-all']), [flags], { axes: [1] }, name),
  },
  'the reducer of numbers': {
    make: (b, { rows }, pick, name) =>
      b.one(pick(['reduce-sum', 'reduce-prod', 'reduce-min', 'reduce-max']), [rows], { axes: [1] }, name),
  },
  'the axis that is reduced': {
    make: (b, { rows }, pick, name) => b.one('reduce-sum', [rows], { axes: [pick([0, 1])] }, name),
  },
  'the extreme whose position is asked': {
    make: (b, { rows }, pick, name) => b.one(pick(['argmax', 'argmin']), [rows], { axis: 1 }, name),
  },
  'how rows meet': {
    make: (b, { rows, more }, pick, name) =>
      b.one('scatter-rows', [rows, at(b, 4), more], { reduction: pick(reductions) }, name),
  },
  'how elements meet': {
    make: (b, { rows, more }, pick, name) =>
      b.one('scatter', [rows, at(b, 4, 4), more], { reduction: pick(reductions) }, name),
  },
  'the literal that fills': {
    make: (b, _, pick, name) => {
      const { value, dtype } = pick(literals)
      return b.one('broadcast', [constant(b, [value], dtype, [], name)], { shape: [4] }, name)
    },
  },
  'the comparison': {
    make: (b, { rows, other }, pick, name) =>
      b.one(pick(['lt', 'le', 'gt', 'ge', 'eq', 'ne']), [rows, other], {}, name),
  },
  'the function': {
    make: (b, { rows }, pick, name) => b.one(pick(['abs', 'neg', 'sin', 'cos', 'exp']), [rows], {}, name),
  },
  'the order of operands': {
    make: (b, { rows, other }, pick, name) =>
      b.one(
        'sub',
        pick([
          [rows, other],
          [other, rows],
          [rows, rows],
        ]),
        {},
        name,
      ),
  },
  'the dtype wanted': {
    make: (b, { whole }, pick, name) => b.one('cast', [whole], { dtype: pick(['f32', 'bool', 'u8', 'i8']) }, name),
  },
}

/** Up to `size` members of one family or two, all of them outputs, under names that mislead. */
export const alike = (seed: number, size: number): Graph => {
  const next = random(seed)
  const pick = <T>(xs: readonly T[]): T => {
    const found = xs[Math.floor(next() * xs.length)]
    if (found === undefined) throw new Error('nothing to pick from')
    return found
  }
  const b = new GraphBuilder('alike')
  const inputs: Inputs = {
    rows: b.input('rows', tensorType('f32', [4, 4])),
    other: b.input('other', tensorType('f32', [4, 4])),
    more: b.input('more', tensorType('f32', [4, 4])),
    flags: b.input('flags', tensorType('bool', [4, 4])),
    whole: b.input('whole', tensorType('i32', [4])),
  }
  const among = [pick(Object.values(families)), pick(Object.values(families))]
  const made = Array.from({ length: size }, (_, i) => [`out${i}`, pick(among).make(b, inputs, pick, pick(words))])
  return b.finish(Object.fromEntries(made) as Record<string, Value>)
}
