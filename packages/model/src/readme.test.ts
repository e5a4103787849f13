/** @file The examples of the README print what the README says. */
import { readFileSync } from 'node:fs'
import { formatWithOptions } from 'node:util'
import * as core from '@quern/core-ir'
import { expect, test } from 'vitest'
import * as own from './index.ts'

const text = readFileSync(new URL('../README.md', import.meta.url), 'utf8')
const examples = [...text.matchAll(/```js\n([^]*?)```\s+```text\n([^]*?)```/g)].map(m => ({
  code: m[1] ?? '',
  printed: m[2],
}))

test('the README has its examples', () => {
  expect(examples).toHaveLength(2)
})

test.each(examples)('example %# of the README prints what the README says', async ({ code, printed }) => {
  const modules = { '@quern/core-ir': core, '@quern/model': own }
  const body = code.replace(
    /^import \{ (.*) \} from (.*)$/gm,
    (_, names: string, from: string) => `const { ${names.replaceAll(' as ', ': ')} } = modules[${from}]`,
  )
  const lines: string[] = []
  const log = (...args: readonly unknown[]): void => void lines.push(formatWithOptions({}, ...args))
  await new Function('console', 'modules', `return (async () => {\n${body}\n})()`)({ log }, modules)
  expect(`${lines.join('\n')}\n`).toBe(printed)
})
