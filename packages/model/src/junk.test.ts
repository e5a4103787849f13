/** Whatever the functions of a model file are given, they answer with a result or with a coded error: never with a crash of ours. */
import { isQuernError } from '@quern/artifact'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import * as quern from './index.ts'
import { programOf } from './index.ts'

type Any = (...args: readonly unknown[]) => unknown
const functionsOf = (prefix: string, x: object): readonly (readonly [string, Any])[] =>
  Object.entries(x).flatMap(([name, f]): (readonly [string, Any])[] =>
    typeof f === 'function' && !name.startsWith('$') ? [[prefix + name, f as Any]] : [],
  )

// Asynchronous ones, and those that are not for authors.
const left = new Set(['safetensors', 'readSafetensors', 'checkFits', 'constantData', 'isModel'])
const functions = [
  ...functionsOf('', quern).filter(([name]) => !left.has(name)),
  ...functionsOf('nn.', quern.nn),
  ...functionsOf('random.', quern.random),
]

const size = fc.oneof(
  { weight: 6, arbitrary: fc.integer({ min: 0, max: 4 }) },
  fc.constantFrom(-1, 1.5, NaN, Infinity, 1e10, 2 ** 31, 2 ** 53, quern.dim('n'), quern.dim('m', { min: 2, max: 8 })),
)
const shape = fc.array(size, { maxLength: 4 })
const dtype = fc.constantFrom('f32', 'f32', 'f64', 'i32', 'u8', 'bool', 'i64')
const tensor = fc
  .tuple(fc.array(fc.constantFrom(1, 2, 3, quern.dim('n')), { maxLength: 4 }), dtype)
  .map(([s, d]) => quern.zeros(s, d as 'f32'))
const junk = fc.anything({ maxDepth: 2, withTypedArray: true, withBigInt: true, withNullPrototype: true })
const some = fc.oneof(tensor, shape, dtype, size, fc.array(tensor, { maxLength: 3 }), junk)
const record = fc.dictionary(
  fc.constantFrom(
    'x',
    'y',
    'weight',
    'bias',
    'axes',
    'axis',
    'keepDims',
    'stride',
    'padding',
    'groups',
    'start',
    'dtype',
  ),
  some,
  { maxKeys: 3 },
)
const spec = fc
  .tuple(dtype, fc.array(fc.constantFrom(1, 2, quern.dim('n')), { maxLength: 3 }))
  .map(([d, s]) => quern.tensor(d as 'f32', s))
const argument = fc.oneof(
  { weight: 4, arbitrary: tensor },
  some,
  record,
  spec,
  fc.dictionary(fc.constantFrom('x', 'y'), spec, { maxKeys: 2 }),
  fc.func(fc.oneof(some, record)),
)

const answered = (f: () => unknown): void => {
  try {
    f()
  } catch (error) {
    if (!isQuernError(error)) throw error
    expect(error.code).toMatch(/^[\w-]+\/[\w-]+$/)
    expect(error.message).not.toMatch(/undefined is not|Cannot read|is not iterable|\[object /)
  }
}

describe('junk', () => {
  test.each(functions)('%s', (_, f) => {
    fc.assert(
      fc.property(fc.array(argument, { maxLength: 4 }), args => answered(() => f(...args))),
      { numRuns: 50 },
    )
  })

  test('in the result of a model', () => {
    fc.assert(
      fc.property(fc.oneof(some, fc.dictionary(fc.constantFrom('y', 'z'), some, { maxKeys: 2 })), result =>
        answered(() =>
          programOf(quern.model({ x: quern.tensor('f32', [2]) }, (() => result) as () => Record<string, never>)),
        ),
      ),
    )
  })

  test('in the methods of what functions return', () => {
    fc.assert(fc.property(argument, x => answered(() => quern.state('s', quern.tensor('f32', [2])).next(x as never))))
  })
})
