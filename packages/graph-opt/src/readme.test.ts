/** @file The examples of the README print what the README says. */
import * as core from '@quern/core-ir'
import { expect, test } from 'vitest'
import { readmeExamples } from '../../artifact/src/testing/readme-example.ts'
import * as own from './index.ts'

const examples = readmeExamples(new URL('../README.md', import.meta.url))

test('the README has its examples', () => {
  expect(examples).toHaveLength(1)
})

test.each(examples)('example %# of the README prints what the README says', async ({ print, shown }) => {
  expect(await print({ '@quern/core-ir': core, '@quern/graph-opt': own })).toBe(shown)
})
