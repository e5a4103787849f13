/** @file What an app with only the digits model ships, and how long compiling it takes, cold. */
import { execFileSync } from 'node:child_process'
import { cpSync, mkdtempSync, readFileSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const app = {
  'index.html': '<!doctype html><meta charset="utf-8"><script type="module" src="./main.ts"></script>',
  'main.ts': `import digits from './digits.model.ts'
const net = await digits.load({ device: 'wasm' })
const { probs } = await net.run({ image: new Float32Array(784) })
document.body.textContent = String(probs.data[0])`,
  'vite.config.js': `import quern from '@quern/vite-plugin'
export default { base: './', plugins: [quern({ targets: ['wasm'], cache: false })], build: { target: 'es2023', assetsInlineLimit: 0 } }`,
  'compile.mjs': `import { evaluateModelFile } from '@quern/evaluate'
const start = performance.now()
const { error } = await evaluateModelFile(new URL('./digits.model.ts', import.meta.url).pathname, { compile: { targets: ['wasm'] } })
if (error) throw new Error(error.message)
console.log(performance.now() - start)`,
}

const median = values => [...values].sort((a, b) => a - b)[values.length >> 1]

export const measureDigits = async brotli => {
  const folder = mkdtempSync(join(tmpdir(), 'quern-digits-'))
  try {
    for (const [name, text] of Object.entries(app)) writeFileSync(join(folder, name), text)
    const models = fileURLToPath(new URL('../../playground/src/models/', import.meta.url))
    for (const name of ['digits.model.ts', 'digits.safetensors']) cpSync(join(models, name), join(folder, name))
    symlinkSync(fileURLToPath(new URL('../../playground/node_modules', import.meta.url)), join(folder, 'node_modules'))
    const vite = fileURLToPath(new URL('../../node_modules/vite/bin/vite.js', import.meta.url))
    execFileSync(process.execPath, [vite, 'build', '--logLevel', 'warn'], { cwd: folder, stdio: 'inherit' })
    const files = readdirSync(join(folder, 'dist/assets')).map(name => {
      const bytes = readFileSync(join(folder, 'dist/assets', name))
      return {
        name: name.replace(/-[\w-]{8}(?=\.)/, ''),
        raw: bytes.length,
        brotli: brotli(bytes).length,
        weights: name.endsWith('.weights'),
      }
    })
    // A process of its own each time: nothing is warm but the disk.
    const compileMs = median(
      Array.from({ length: 5 }, () =>
        Number(execFileSync(process.execPath, ['compile.mjs'], { cwd: folder, encoding: 'utf8' }).trim()),
      ),
    )
    return { files, compileMs }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
