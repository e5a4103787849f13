/** @file Finds models that went into a worker's bundle without being compiled: Vite does not give plugins to workers. */
import { QuernError } from '@quern/artifact'
import type { OutputFiles, ReportedError } from './bundler.ts'
import { asReported } from './failures.ts'

/** The code of the error that an uncompiled model throws: a string, so minifiers keep it. */
const uncompiled = 'model/not-compiled'
/** A string of the compiler: a worker that holds it compiles in process, and means its models to be uncompiled. */
const compilesInProcess = 'numerics/reproducible-needs-wasm'

export const findUncompiled = (bundle: OutputFiles): ReportedError | undefined => {
  for (const file of Object.values(bundle)) {
    // Chunks of workers reach the outer build as finished assets.
    if (file.type !== 'asset' || !/\.[cm]?js$/.test(file.fileName)) continue
    const code = typeof file.source === 'string' ? file.source : new TextDecoder().decode(file.source)
    if (!code.includes(uncompiled) || code.includes(compilesInProcess)) continue
    return asReported(
      new QuernError(
        'vite-plugin/worker-not-compiled',
        `${file.fileName} holds a model that was not compiled, since workers do not inherit \`plugins\`: write \`worker: { format: 'es', plugins: () => [quern()] }\` beside \`plugins: [quern()]\` in the Vite configuration (format 'es', since what is put in the place of a model loads its parts by import)`,
        { file: file.fileName },
      ),
      file.fileName,
    )
  }
  return undefined
}
