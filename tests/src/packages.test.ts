/** @file Holds who may import whom: the picture of the packages, their dependency lists, and their imports. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { builtinModules } from 'node:module'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'

const root = fileURLToPath(new URL('../../packages', import.meta.url))

/** Each package and what stands directly left of it. A package may depend on that, and on all that stands left of that. */
const picture: Record<string, readonly string[]> = {
  artifact: [],
  'core-ir': ['artifact'],
  'graph-opt': ['core-ir'],
  'loop-opt': ['core-ir'],
  'codegen-wasm': ['graph-opt', 'loop-opt'],
  'codegen-wgsl': ['graph-opt', 'loop-opt'],
  compiler: ['codegen-wasm', 'codegen-wgsl'],
  model: ['core-ir'],
  runtime: ['artifact'],
  jit: ['compiler', 'model', 'runtime'],
  evaluate: ['compiler', 'model', 'jit'],
  'vite-plugin': ['evaluate'],
  cli: ['evaluate'],
}

/** What comes from outside. A new line here is a decision: it is what our users install. */
const outside: Record<string, readonly string[]> = {
  'codegen-wasm': ['wabt'],
  evaluate: ['magic-string', 'rolldown'],
  'vite-plugin': ['@rollup/pluginutils'],
  cli: ['citty'],
}

/** The others run in a browser as they are, but for files that their manifest imports under the condition `node`. */
const mayUseNode = new Set(['evaluate', 'vite-plugin', 'cli'])
const builtins = new Set(builtinModules)

it('knows every package', () => {
  expect(readdirSync(root).sort()).toEqual(Object.keys(picture).sort())
})

describe.each(Object.keys(picture))('%s', name => {
  const manifest = readManifest(name)
  const dependencies = Object.keys(manifest.dependencies ?? {})
  const imports = sourceFiles(name).flatMap(file =>
    importsOf(readFileSync(file, 'utf8')).map(specifier => ({ file: file.slice(root.length + 1), specifier })),
  )

  it('depends on nothing but what stands left of it in the picture', () => {
    const ours = dependencies.filter(d => d.startsWith('@quern/')).map(d => d.slice('@quern/'.length))
    expect(ours.filter(d => !leftOf(name).has(d))).toEqual([])
    expect(dependencies.filter(d => !d.startsWith('@quern/'))).toEqual(outside[name] ?? [])
  })

  it('imports nothing but itself and its dependencies', () => {
    const peers = Object.keys(manifest.peerDependencies ?? {})
    const foreign = imports.filter(({ specifier }) => {
      if (specifier.startsWith('.') || isBuiltin(specifier)) return false
      if (specifier.startsWith('#')) return !(specifier in (manifest.imports ?? {}))
      return ![manifest.name, ...dependencies, ...peers].includes(packageOf(specifier))
    })
    expect(foreign).toEqual([])
  })

  it('imports relative files with their extension, and none outside the package', () => {
    const relative = imports.filter(({ specifier }) => specifier.startsWith('.'))
    const strange = relative.filter(({ file, specifier }) => {
      const inside = new URL(specifier, `file:///${file}`).pathname.startsWith(`/${name}/src/`)
      return !inside || !/\.(ts|json)$/.test(specifier)
    })
    expect(strange).toEqual([])
  })

  if (!mayUseNode.has(name)) {
    it('runs in a browser: it imports nothing of Node', () => {
      const nodeFiles = new Set(nodeTargets(manifest.imports ?? {}).map(target => `${name}/${target.slice(2)}`))
      expect(imports.filter(({ file, specifier }) => isBuiltin(specifier) && !nodeFiles.has(file))).toEqual([])
    })
  }

  it('is an ES module without side effects, in source and built form', () => {
    expect(manifest).toMatchObject({ name: `@quern/${name}`, type: 'module', sideEffects: false })
    for (const [path, entry] of Object.entries(manifest.exports)) {
      if (path === './package.json') continue
      expect(Object.keys(entry)[0], path).toBe('quern-source')
      expect(Object.keys(entry).at(-1), path).toBe('default')
      expect(existsSync(`${root}/${name}/${(entry as { 'quern-source': string })['quern-source']}`), path).toBe(true)
    }
  })
})

interface Manifest {
  name: string
  dependencies?: Record<string, string>
  peerDependencies?: Record<string, string>
  exports: Record<string, object>
  imports?: Record<string, Target>
}
type Target = string | { [condition: string]: Target }

/** The source files that a package imports under Node only. */
function nodeTargets(target: Target, node = false): string[] {
  if (typeof target === 'string') return node ? [target] : []
  return Object.entries(target).flatMap(([condition, inner]) => nodeTargets(inner, node || condition === 'node'))
}

function readManifest(name: string): Manifest {
  return JSON.parse(readFileSync(`${root}/${name}/package.json`, 'utf8')) as Manifest
}

function leftOf(name: string): Set<string> {
  const direct = picture[name] ?? []
  return new Set([...direct, ...direct.flatMap(d => [...leftOf(d)])])
}

/** What a package ships; its tests may use more. */
function sourceFiles(name: string): string[] {
  return readdirSync(`${root}/${name}/src`, { recursive: true, encoding: 'utf8' })
    .filter(file => file.endsWith('.ts') && !file.endsWith('.test.ts') && !/(^|[/\\])testing[/\\]/.test(file))
    .map(file => `${root}/${name}/src/${file.replaceAll('\\', '/')}`)
}

/** The specifiers of static imports, re-exports and `import('…')`, in code that the formatter has laid out. */
function importsOf(source: string): string[] {
  const code = source.replace(/\/\*[\s\S]*?\*\//g, '').replace(/^\s*\/\/.*$/gm, '')
  const statement = /^\s*(?:import|export)\s(?:[^'"`;=]*?\sfrom\s+)?['"]([^'"]+)['"]/gm
  const call = /\bimport\(\s*['"]([^'"]+)['"]/g
  return [...code.matchAll(statement), ...code.matchAll(call)].map(match => match[1]!)
}

function packageOf(specifier: string): string {
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/')
}

function isBuiltin(specifier: string): boolean {
  return specifier.startsWith('node:') || builtins.has(specifier)
}
