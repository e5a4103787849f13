import { readFileSync } from 'node:fs'
import { inspect } from 'node:util'
import { expect, test } from 'vitest'
import * as core from './index.ts'

test('the example of the README prints what the README says', () => {
  const [, code = '', printed = ''] =
    /```ts\n([^]*?)```\n\n```\n([^]*?)```/.exec(readFileSync('README.md', 'utf8')) ?? []
  const [imported = '', ...body] = code.split('\n')
  const names = /\{ (.*) \}/.exec(imported)?.[1]?.split(', ') ?? []
  const lines: string[] = []
  const log = (x: unknown): void => void lines.push(typeof x === 'string' ? x : inspect(x))
  new Function('console', 'core', `const { ${names.join(', ')} } = core\n${body.join('\n')}`)({ log }, core)
  expect(`${lines.join('\n')}\n`).toBe(printed)
})
