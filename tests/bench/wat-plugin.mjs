/** @file Vite plugin: `import bytes from './x.wat'` gives the assembled module's bytes. For hand-written comparison kernels. */
import { readFile } from 'node:fs/promises'
import wabt from 'wabt'

export const wat = () => ({
  name: 'wat',
  async load(id) {
    if (!id.endsWith('.wat')) return
    const { parseWat } = await wabt()
    const module = parseWat(id, await readFile(id, 'utf8'), { simd: true })
    const { buffer } = module.toBinary({})
    module.destroy()
    return `export default Uint8Array.from(atob(${JSON.stringify(Buffer.from(buffer).toString('base64'))}), c => c.charCodeAt(0))`
  },
})
