/** @file The examples in packages' READMEs run as they stand there, and print what stands below them. */
import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, it } from 'vitest'

const run = promisify(execFile)
const cwd = fileURLToPath(new URL('..', import.meta.url))

it.each(['runtime', 'jit'])('%s', async name => {
  const text = await readFile(new URL(`../../packages/${name}/README.md`, import.meta.url), 'utf8')
  const [, code = '', printed] = /```js\n([^]*?)```\s+```text\n([^]*?)```/.exec(text) ?? []
  expect(code).toContain(`'@quern/${name}'`)
  const { stdout } = await run(process.execPath, ['--input-type=module', '--eval', code], { cwd })
  expect(stdout).toBe(printed)
})
