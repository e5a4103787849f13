/** @file The `quern` command: compile a model file, run it, look into any stage of its compilation. */
import { createRequire } from 'node:module'
import { defineCommand } from 'citty'
import { compile } from './commands/compile.ts'
import { inspect } from './commands/inspect.ts'
import { run } from './commands/run.ts'

/** The one in the package's own file, which lies beside the folder of this module, built or not. */
const { version } = createRequire(import.meta.url)('../package.json') as { readonly version: string }

export const quern = defineCommand({
  meta: { name: 'quern', version, description: 'Compiles .model.ts files to WebAssembly and WebGPU kernels.' },
  subCommands: { compile, run, inspect },
})
