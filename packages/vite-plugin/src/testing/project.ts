/** @file A project in a temporary folder for the plugin's tests. */
import { mkdtempSync, mkdirSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'

export interface Project {
  readonly root: string
  write(name: string, text: string): string
  remove(): void
}

export const makeProject = (files: Readonly<Record<string, string>>): Project => {
  const root = realpathSync(mkdtempSync(join(tmpdir(), 'quern-plugin-')))
  const write = (name: string, text: string): string => {
    const path = join(root, name)
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, text)
    return path
  }
  for (const [name, text] of Object.entries(files)) write(name, text)
  return { root, write, remove: () => rmSync(root, { recursive: true, force: true }) }
}

/** A compiler whose code is the list of a program's ops; each target has weights of its own, above every inline limit. */
const listingCompiler = `
import { appendFileSync } from 'node:fs'
const compile = (program, target, { threads = false, relaxed = false }) => {
  if (!threads && !relaxed)
    appendFileSync(new URL('./compiled.log', import.meta.url), program.name + ' ' + target + '\\n')
  const ops = [...program.entries.values()].flatMap(g => g.nodes.map(n => n.op)).join(' ')
  const code = new TextEncoder().encode(target + ': ' + ops)
  const weights = new Uint8Array(5000).fill(target === 'wasm' ? 1 : 2)
  const file = target === 'wasm' ? 'code.wasm' : 'code.json'
  return {
    manifest: { format: 1, name: program.name, target, variant: 'plain', symbols: {}, entries: {}, states: [], features: [], kernels: [],
      wasm: target === 'wasm' ? { sharedMaxPages: 4 } : undefined,
      code: { file, bytes: code.length, sha256: [] }, weights: { file: 'weights.bin', bytes: 5000, sha256: [] } },
    files: { [file]: code, 'weights.bin': weights },
  }
}
export const compileVariants = async (program, target, variants) => variants.map(v => compile(program, target, v))`

export const standIns = (project: Project): Readonly<Record<string, string>> => ({
  '@quern/compiler': pathToFileURL(project.write('.compiler/compiler.mjs', listingCompiler)).href,
  '@quern/runtime': pathToFileURL(
    project.write('.compiler/runtime.mjs', 'export const createModel = parts => ({ parts })'),
  ).href,
})

export const twoLayers = `import { model, tensor, matmul } from '@quern/model'
export const labels = ['a', 'b']
export default model({ x: tensor('f32', [4, 4]) }, ({ x }) => ({ y: matmul(x, matmul(x, x)) }))
export const unused = model({ x: tensor('f32', [2, 2]) }, ({ x }) => ({ y: matmul(x, x) }))
`

export const app = `import net, { labels } from './two.model.ts'
globalThis.app = { net, labels }
export { net, labels }
`
