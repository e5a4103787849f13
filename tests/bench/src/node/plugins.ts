/** @file Vite plugins that only a benchmark needs. */
import { readFile } from 'node:fs/promises'
import quern from '@quern/vite-plugin'
import type { Plugin } from 'vite'
import wabt from 'wabt'

/** `import bytes from './x.wat'` gives the assembled module's bytes. For hand-written comparison kernels. */
export const wat = (): Plugin => ({
  name: 'wat',
  load: {
    filter: { id: /\.wat$/ },
    async handler(id) {
      const { parseWat } = await wabt()
      const features = { simd: true, relaxed_simd: true }
      const module = parseWat(id, await readFile(id, 'utf8'), features)
      const { buffer } = module.toBinary({})
      module.destroy()
      return `export default Uint8Array.from(atob(${JSON.stringify(Buffer.from(buffer).toString('base64'))}), c => c.charCodeAt(0))`
    },
  },
})

/**
 * The plugin of Quern, but a model that does not compile becomes a module that throws the compiler's message, so that one
 * defect is one line of the table; and models that nobody asked for are not compiled.
 */
export const measuredModels = (
  wanted: ReadonlySet<string>,
  failed: (model: string, message: string) => void,
): Plugin => {
  // A benchmark may wait for its compiler longer than the page of a developer does.
  const plugin = quern({ targets: ['wasm'], timeout: 600_000 })
  const { load } = plugin
  if (load === undefined || typeof load === 'function') throw new Error('the plugin of Quern has no load with a filter')
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
