/** @file `npm start`: installs what is missing, builds the packages, serves the playground. Extra arguments go to Vite. */
import { spawn, spawnSync } from 'node:child_process'
import { delimiter } from 'node:path'
import { fileURLToPath } from 'node:url'
import { bootstrap } from './bootstrap.mjs'

const root = fileURLToPath(new URL('..', import.meta.url))
const bin = fileURLToPath(new URL('../node_modules/.bin', import.meta.url))
const shell = process.platform === 'win32'

bootstrap()

// Turbo wants a `pnpm` on the path; npm puts ours there, a bare `node scripts/start.mjs` does not.
process.env.PATH = `${bin}${delimiter}${process.env.PATH}`

const build = spawnSync(`${bin}/turbo`, ['run', 'build', '--filter=./packages/*', '--output-logs=errors-only'], {
  cwd: root,
  shell,
  stdio: ['ignore', 'inherit', 'inherit'],
})
if (build.status !== 0) process.exit(build.status ?? 1)

const { CI, DISPLAY, WAYLAND_DISPLAY } = process.env
const hasDisplay = process.platform === 'darwin' || process.platform === 'win32' || !!(DISPLAY || WAYLAND_DISPLAY)
const args = [...(hasDisplay && !CI ? ['--open'] : []), ...process.argv.slice(2)]
const vite = spawn(`${bin}/vite`, args, { cwd: `${root}/playground`, shell, stdio: 'inherit' })
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => vite.kill(signal))
vite.on('exit', code => process.exit(code ?? 0))
