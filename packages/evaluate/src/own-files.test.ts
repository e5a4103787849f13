/** @file The hash of the compiler's own files changes with each of them, in every package that it is made of. */
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { hashOfOwnFiles } from './own-files.ts'

let folder: string
beforeEach(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'quern-own-')))
  write('package.json', '{"name":"@quern/compiler","dependencies":{"@quern/core":"1","other":"1"}}')
  write('src/index.ts', 'export {}')
  write('src/deep/pass.ts', 'export {}')
  write(`${core}/package.json`, '{"name":"@quern/core","dependencies":{"@quern/format":"1"}}')
  write(`${core}/src/index.ts`, 'export {}')
  write(`${format}/package.json`, '{"name":"@quern/format"}')
  write(`${format}/src/index.ts`, 'export {}')
})
afterEach(() => rmSync(folder, { recursive: true }))

const core = 'node_modules/@quern/core'
const format = 'node_modules/@quern/format'
const write = (name: string, text: string): void => {
  mkdirSync(dirname(join(folder, name)), { recursive: true })
  writeFileSync(join(folder, name), text)
}
const hash = () => hashOfOwnFiles([pathToFileURL(join(folder, 'src/index.ts')).href])

it.each([
  ['the module itself', 'src/index.ts', 'export const a = 1'],
  ['a module beside it', 'src/deep/pass.ts', 'export const a = 1'],
  ['a new module', 'src/deep/new.ts', 'export {}'],
  ['a package that it depends on', `${core}/src/index.ts`, 'export const a = 1'],
  ['a package that this one depends on', `${format}/src/index.ts`, 'export const a = 1'],
  ['what a package says of itself', `${format}/package.json`, '{"name":"@quern/format","type":"module"}'],
])('changes with %s', async (_, name, text) => {
  const before = await hash()
  expect(await hash()).toBe(before)
  write(name, text)
  expect(await hash()).not.toBe(before)
})

it.each([
  ['a test', 'src/deep/pass.test.ts'],
  ['what is no code', 'src/notes.md'],
  ['a package of others', 'node_modules/other/src/index.ts'],
])('does not change with %s', async (_, name) => {
  const before = await hash()
  write(name, 'export const a = 1')
  expect(await hash()).toBe(before)
})
