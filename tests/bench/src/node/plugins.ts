/** @file Vite plugins that only a benchmark needs. */
import { readFile } from 'node:fs/promises'
import quern from '@quern/vite-plugin'
import type { Plugin } from 'vite'
import { assemble } from '../../contest.mjs'
import { gemmWat } from '../handwritten/gemm.mjs'

/**
 * Hand-written comparison kernels, assembled: `import bytes from './x.wat'`, or `import bytes from 'gemm:m=512&nr=8'` for a matrix
 * product of these sizes.
 */
export const wat = (): Plugin => ({
  name: 'wat',
  resolveId: source => (source.startsWith('gemm:') ? `\0${source}` : undefined),
  load: {
    filter: { id: /\.wat$|^\0gemm:/ },
    async handler(id) {
      const text = id.startsWith('\0gemm:') ? gemmWat(sizesOf(id.slice('\0gemm:'.length))) : await readFile(id, 'utf8')
      const bytes = Buffer.from(await assemble(id, text)).toString('base64')
      return `export default Uint8Array.from(atob(${JSON.stringify(bytes)}), c => c.charCodeAt(0))`
    },
  },
})

const sizesOf = (query: string): Readonly<Record<string, number | boolean>> =>
  Object.fromEntries([...new URLSearchParams(query)].map(([name, value]) => [name, value === 'true' || Number(value)]))

/**
 * The plugin of Quern, but a model that does not compile becomes a module that throws the compiler's message, so that one
 * defect is one line of the table; and models that nobody asked for are not compiled.
 */
export const measuredModels = (
  wanted: ReadonlySet<string>,
  failed: (model: string, message: string) => void,
): Plugin => {
  // A benchmark may wait for its compiler longer than the page of a developer does.
  const plugin = quern({ targets: ['wasm'], timeout: 600_000 }).find(p => p.name === 'quern')
  const load = plugin?.load
  if (plugin === undefined || load === undefined || typeof load === 'function')
    throw new Error('the plugin of Quern has no load with a filter')
  return {
    ...plugin,
    load: {
      ...load,
      async handler(id, ...rest) {
        const name = /([^/]+)\.model\.ts(?:\?|$)/.exec(id)?.[1] ?? ''
        if (!wanted.has(name))
          return `throw new Error('${name} was not compiled for this run')\nexport default undefined`
        try {
          return await load.handler.call(this, id, ...rest)
        } catch (error) {
          const message = error instanceof Error ? error.message : String(error)
          failed(name, message)
          return `throw new Error(${JSON.stringify(message)})\nexport default undefined`
        }
      },
    },
  }
}

const check = /function hasSharedArrayBuffer\(\) \{\s*return /
/** jax-js takes workers wherever it can have them. Where there is one thread, it is faster without, as on a page that is not isolated. */
export const jaxWithoutWorkers = (): Plugin => {
  let seen = false
  return {
    name: 'jax-without-workers',
    transform: {
      filter: { id: /@jax-js[\\/]jax[\\/]/, code: check },
      handler(code) {
        seen = true
        return { code: code.replace(check, match => `${match}globalThis.benchThreads !== 1 && `), map: null }
      },
    },
    buildEnd(error) {
      if (error === undefined && !seen) this.error('jax-js no longer has the function that decides on workers')
    },
  }
}
