/** @file `npm run bench`: everything behind it is TypeScript, evaluated by Vite. */
import { fileURLToPath } from 'node:url'
import { runnerImport } from 'vite'

const root = fileURLToPath(new URL('.', import.meta.url))
const { module } = await runnerImport('/src/node/main.ts', { root, configFile: false, logLevel: 'error' })
process.exitCode = await module.main(process.argv.slice(2))
