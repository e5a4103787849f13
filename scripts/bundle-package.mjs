/**
 * @file Makes one module of a package, or one for each of its entries: a process that compiles a model then opens a few files,
 * not hundreds. Entries are what the package's `exports` and `imports` name in `src`. Types are left to the TypeScript compiler;
 * what is imported by package name stays outside. Run in the folder of the package.
 */
import { readFileSync } from 'node:fs'
import { build } from 'vite'

const { exports, imports = {} } = JSON.parse(readFileSync('package.json', 'utf8'))
const sources = JSON.stringify([exports, imports]).matchAll(/"\.\/src\/([^"]+)\.ts"/g)
const entries = Object.fromEntries([...sources].map(([, name]) => [name, `src/${name}.ts`]))

await build({
  configFile: false,
  logLevel: 'warn',
  publicDir: false,
  build: {
    lib: { entry: entries, formats: ['es'], fileName: (_, name) => `${name}.js` },
    outDir: 'dist',
    emptyOutDir: false,
    minify: false,
    sourcemap: true,
    target: 'es2022',
    rolldownOptions: { external: id => !/^[./]|^[A-Za-z]:/.test(id), output: { chunkFileNames: 'shared/[name].js' } },
  },
})
