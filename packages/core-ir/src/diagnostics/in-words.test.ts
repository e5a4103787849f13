/** Whatever is put where something else was expected can be spoken of. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { inWords } from './in-words.ts'

test.each<[unknown, string]>([
  [undefined, 'undefined'],
  [null, 'null'],
  [2.5, '2.5'],
  [-0, '0'],
  [3n, '3n'],
  ['f32', '"f32"'],
  ['x'.repeat(99), `"${'x'.repeat(39)}…"`],
  [[], 'an empty array'],
  [[1, 2], 'an array of 2'],
  [{}, 'an empty object'],
  [{ weight: 1, bias: 2 }, 'an object with weight, bias'],
  [new Float32Array(2), 'a Float32Array'],
  [Promise.resolve(1), 'a promise'],
  [{ kind: 'tensor' }, 'a tensor'],
  [Math.max, 'the function max'],
  [Symbol('x'), 'a symbol'],
  [Object.create(null), 'an empty object'],
])('%s: %s', (value, words) => {
  expect(inWords(value)).toBe(words)
})

test('no value makes it throw, and none a long text', () => {
  fc.assert(
    fc.property(fc.anything({ withNullPrototype: true, withTypedArray: true, withBigInt: true }), x => {
      expect(inWords(x).length).toBeLessThan(100)
    }),
  )
})
