/** @file Lets a worker run this repository's TypeScript as it is, for tests from source. Users run built files. */
import { createRequire } from 'node:module'
import { pathToFileURL } from 'node:url'
import { fromSource } from './packages.ts'

const asModule = (code: string): string => `data:text/javascript,${encodeURIComponent(code)}`

/** Arguments for a worker: nothing for built files. */
export const workerArguments = (): string[] => {
  if (!fromSource) return []
  const transformer = pathToFileURL(createRequire(import.meta.url).resolve('rolldown/utils')).href
  const hooks = `
    import { readFile } from 'node:fs/promises'
    import { fileURLToPath } from 'node:url'
    import { transformSync } from ${JSON.stringify(transformer)}
    export async function load(url, context, next) {
      if (!url.startsWith('file:') || !url.endsWith('.ts')) return next(url, context)
      const file = fileURLToPath(url)
      const { code } = transformSync(file, await readFile(file, 'utf8'), { sourcemap: false })
      return { format: 'module', shortCircuit: true, source: code }
    }`
  const start = `import { register } from 'node:module'; register(${JSON.stringify(asModule(hooks))})`
  return ['--conditions=quern-source', '--import', asModule(start)]
}
