/**
 * @file `npm run sweep`: the tests of ops and of random graphs on every target, with many cases instead of a few. `npm run sweep --
 * -t softmax` runs some; QUERN_RUNS (default 200) says how many, QUERN_SEED from which seed.
 */
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const files = [
  'ops-on-wasm',
  'graphs-on-wasm',
  'graphs-on-threads',
  'ops-on-webgpu',
  'graphs-on-webgpu',
  'refused-dtypes',
]
const bin = fileURLToPath(new URL('../node_modules/.bin/vitest', import.meta.url))
const { status } = spawnSync(bin, ['run', ...files.map(f => `src/${f}`), ...process.argv.slice(2)], {
  cwd: fileURLToPath(new URL('../tests', import.meta.url)),
  env: { ...process.env, QUERN_RUNS: process.env.QUERN_RUNS || '200' },
  shell: process.platform === 'win32',
  stdio: 'inherit',
})
process.exit(status ?? 1)
