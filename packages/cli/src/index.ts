/** @file The `quern` command: compile a model file, run it, look into any stage of its compilation. */
import { defineCommand } from 'citty'
import { compile } from './commands/compile.ts'
import { inspect } from './commands/inspect.ts'
import { run } from './commands/run.ts'

export const quern = defineCommand({
  meta: { name: 'quern', description: 'Compiles .model.ts files to WebAssembly and WebGPU kernels.' },
  subCommands: { compile, run, inspect },
})
