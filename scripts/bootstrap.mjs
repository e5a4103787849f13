/** @file Installs the dependencies where they are missing or no longer what the lockfile says. */
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const stampFile = `${root}/node_modules/.quern-lockfile`

export function bootstrap() {
  const wanted = createHash('sha256')
    .update(readFileSync(`${root}/pnpm-lock.yaml`))
    .update(readFileSync(`${root}/pnpm-workspace.yaml`))
    .digest('hex')
  if (wanted === readStamp()) return
  const { devDependencies } = JSON.parse(readFileSync(`${root}/package.json`, 'utf8'))
  const command = `npx --yes pnpm@${devDependencies.pnpm} install --frozen-lockfile`
  console.log(`> ${command}`)
  const { status } = spawnSync(command, { cwd: root, shell: true, stdio: ['ignore', 'inherit', 'inherit'] })
  if (status !== 0) {
    console.error('The dependencies could not be installed; see above.')
    process.exit(status ?? 1)
  }
  writeFileSync(stampFile, wanted)
}

function readStamp() {
  try {
    return readFileSync(stampFile, 'utf8')
  } catch {
    return undefined
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) bootstrap()
