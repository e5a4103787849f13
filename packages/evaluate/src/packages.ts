/** @file Where Quern's own packages are, and how modules of theirs run here: built files, or this repository's source. */
import { fileURLToPath } from 'node:url'

export const ownFile = fileURLToPath(import.meta.url)

/** True in this repository's tests, which import the packages' source. */
export const fromSource = ownFile.endsWith('.ts')

export const extension = fromSource ? '.ts' : '.js'

/** Export conditions, as Node has them for an `import`. */
export const conditions: readonly string[] = [
  ...(fromSource ? ['quern-source'] : []),
  'node',
  'import',
  'module-sync',
  'default',
]

/** What the worker and the instrumented code import: resolved from here, so that there is one instance of each. */
export const ownPackages = {
  model: '@quern/model',
  instrumented: '@quern/model/instrumented',
  compiler: '@quern/compiler',
} as const
