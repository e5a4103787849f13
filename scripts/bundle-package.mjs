/**
 * @file Makes one module of a package: a process that compiles a model then opens a few files, not hundreds. Types are left
 * to the TypeScript compiler; what is imported by package name stays outside. Run in the folder of the package.
 */
import { build } from 'vite'

await build({
  configFile: false,
  logLevel: 'warn',
  publicDir: false,
  build: {
    lib: { entry: 'src/index.ts', formats: ['es'], fileName: () => 'index.js' },
    outDir: 'dist',
    emptyOutDir: false,
    minify: false,
    sourcemap: true,
    target: 'es2022',
    rolldownOptions: { external: id => !/^[./]|^[A-Za-z]:/.test(id) },
  },
})
