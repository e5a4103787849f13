/**
 * @file Finds Quern's own modules for bundlers that resolve relative paths only, as plain Rollup does: `@quern/runtime` from
 * the stub, and from there what the runtime imports.
 */
import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

export type Platform = 'browser' | 'node'

type Target = string | { readonly [condition: string]: Target }
interface Manifest {
  readonly exports?: Readonly<Record<string, Target>>
  readonly imports?: Readonly<Record<string, Target>>
}

const ownFile = fileURLToPath(import.meta.url)

export const runtimeFolder = (): string => dirname(createRequire(ownFile).resolve('@quern/runtime/package.json'))

const pick = (target: Target | undefined, conditions: ReadonlySet<string>): string | undefined => {
  if (target === undefined || typeof target === 'string') return target
  for (const [condition, inner] of Object.entries(target)) {
    const found = conditions.has(condition) ? pick(inner, conditions) : undefined
    if (found !== undefined) return found
  }
  return undefined
}

const folderOf = (file: string): string => {
  let folder = dirname(file)
  while (!existsSync(join(folder, 'package.json')) && dirname(folder) !== folder) folder = dirname(folder)
  return folder
}

/** The file behind `@quern/…` or `#…`, by the export conditions of a platform. */
export const resolveOwn = (specifier: string, importer: string, platform: Platform): string | undefined => {
  const conditions = new Set([platform, 'import', 'default'])
  const inside = specifier.startsWith('#')
  const [scope = '', name = '', ...path] = specifier.split('/')
  const folder = inside ? folderOf(importer) : dirname(createRequire(importer).resolve(`${scope}/${name}/package.json`))
  const manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Manifest
  const target = inside ? manifest.imports?.[specifier] : manifest.exports?.[['.', ...path].join('/')]
  const found = pick(target, conditions)
  return found === undefined ? undefined : join(folder, found)
}
