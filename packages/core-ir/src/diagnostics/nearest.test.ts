/** A name that is wrong by a slip is answered with the right one; any other with what there is. */
import { expect, test } from 'vitest'
import { didYouMean, nearest } from './nearest.ts'

test.each([
  ['rellu', ['relu', 'gelu', 'silu'], 'relu'],
  ['layernorm', ['layerNorm', 'rmsNorm'], 'layerNorm'],
  ['layer_norm', ['layerNorm', 'rmsNorm'], 'layerNorm'],
  ['fc1.wieght', ['fc1.weight', 'fc2.weight', 'fc1.bias'], 'fc1.weight'],
  ['ads', ['add', 'abs'], 'add'],
  ['xyz', ['add', 'abs'], undefined],
  ['', ['add'], undefined],
  ['x'.repeat(1e6), ['add'], undefined],
])('%s among %j: %s', (word, known, close) => {
  expect(nearest(word, known)).toBe(close)
})

test('what to say', () => {
  expect(didYouMean('rellu', ['relu'])).toBe('did you mean relu?')
  expect(didYouMean('tan', ['relu', 'softmax'])).toBe('there are relu, softmax')
  expect(didYouMean('tan', [])).toBe('there is none')
})
