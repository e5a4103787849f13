/** @file A hash of the compiler's own files: a cache that trusts a version number serves yesterday's kernels to its authors. */
import { createHash } from 'node:crypto'
import { readFile, readdir } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { extension } from './packages.ts'

/** Folders of the packages that the given module URLs lead to, through their `@quern/*` dependencies. */
const foldersOf = async (urls: readonly string[]): Promise<readonly string[]> => {
  const folders = new Set<string>()
  const add = async (folder: string): Promise<void> => {
    if (folders.has(folder)) return
    folders.add(folder)
    const file = join(folder, 'package.json')
    const manifest = JSON.parse(await readFile(file, 'utf8')) as {
      readonly dependencies?: Readonly<Record<string, string>>
    }
    const require = createRequire(file)
    for (const name of Object.keys(manifest.dependencies ?? {}))
      if (name.startsWith('@quern/')) await add(dirname(require.resolve(`${name}/package.json`)))
  }
  for (const url of urls) {
    const folder = await packageFolder(dirname(fileURLToPath(url)))
    if (folder !== undefined) await add(folder)
  }
  return [...folders].sort()
}

const packageFolder = async (start: string): Promise<string | undefined> => {
  for (let folder = start; ; folder = dirname(folder)) {
    const names = await readdir(folder).catch((): string[] => [])
    if (names.includes('package.json')) return folder
    if (dirname(folder) === folder) return undefined
  }
}

export const hashOfOwnFiles = async (urls: readonly string[]): Promise<string> => {
  const hash = createHash('sha256')
  for (const url of urls) hash.update(await readFile(fileURLToPath(url)))
  for (const folder of await foldersOf(urls)) {
    hash.update(await readFile(join(folder, 'package.json')))
    const code = join(folder, extension === '.ts' ? 'src' : 'dist')
    const names = await readdir(code, { recursive: true }).catch(() => [])
    for (const name of names.sort())
      if (name.endsWith(extension) && !name.endsWith('.test.ts'))
        hash.update(name).update(await readFile(join(code, name)))
  }
  return hash.digest('hex')
}
