/** @file The example of the README prints what the README says. */
import { readFileSync } from 'node:fs'
import { formatWithOptions } from 'node:util'
import { expect, test } from 'vitest'
import * as own from './index.ts'

test('the example of the README prints what the README says', async () => {
  const text = readFileSync(new URL('../README.md', import.meta.url), 'utf8')
  const [, code = '', printed] = /```js\n([^]*?)```\s+```text\n([^]*?)```/.exec(text) ?? []
  const modules = { '@quern/artifact': own }
  const body = code.replace(
    /^import \{ (.*) \} from (.*)$/gm,
    (_, names: string, from: string) => `const { ${names.replaceAll(' as ', ': ')} } = modules[${from}]`,
  )
  const lines: string[] = []
  const log = (...args: readonly unknown[]): void => void lines.push(formatWithOptions({}, ...args))
  await new Function('console', 'modules', `return (async () => {\n${body}\n})()`)({ log }, modules)
  expect(`${lines.join('\n')}\n`).toBe(printed)
})
