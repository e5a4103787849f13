/** @file As every package; but tests named `*.built.test.ts` meet the built packages, as users do. */
import { defineConfig, mergeConfig } from 'vitest/config'
import base from '../vitest.base.ts'

const built = 'src/**/*.built.test.ts'
const { name, reporters, outputFile, ...shared } = base.test ?? {}

export default defineConfig({
  test: {
    // Most of a run these are alone on the machine: the other packages' tests are done in half of the time.
    maxWorkers: 2,
    ...(reporters && { reporters }),
    ...(outputFile && { outputFile }),
    projects: [
      mergeConfig(base, { test: { exclude: [built] } }),
      { test: { ...shared, name: `${String(name)}, built`, include: [built] } },
    ],
  },
})
