/** @file Vitest's settings for every package: source instead of built files, and a report that CI counts from. */
import { readFileSync } from 'node:fs'
import { defaultServerConditions } from 'vite'
import { defineConfig } from 'vitest/config'

const { name } = JSON.parse(readFileSync('package.json', 'utf8')) as { name: string }
const conditions = ['quern-source', ...defaultServerConditions]

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions, externalConditions: conditions } },
  test: {
    name,
    include: ['src/**/*.test.ts'],
    passWithNoTests: true,
    // Ends what hangs; it measures nothing, and machines that share their cores are slow at times.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    reporters: ['default', 'json'],
    outputFile: { json: `.reports/${name.replace('@quern/', '')}.json` },
  },
})
