/** @file sin + cos from a model file to numbers, with the real compiler and runtime, in everything that runs in Node. */
import { execFile } from 'node:child_process'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import { rolldown } from 'rolldown'
import { rollup } from 'rollup'
import { build, createServer } from 'vite'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import vite from './index.ts'
import quern from './rollup.ts'
import { type Project, makeProject } from './testing/project.ts'

const model = `import { add, cos, dim, model, sin, tensor } from '@quern/model'
export const period = 6.25
export default model({ x: tensor('f32', [dim('n')]) }, ({ x }) => ({ y: add(sin(x), cos(x)) }))
`
const app = `import wave, { period } from './wave.model.ts'
export const compute = async thread => {
  const net = await wave.load({ device: 'wasm', thread, threads: 1 })
  const { y } = await net.run({ x: Float32Array.of(0, 1, 2, period) })
  const { device, thread: ran } = net.report()
  await net.dispose()
  return { y: [...y.data], device, ran }
}
`
const expected = (thread: string): unknown => ({
  y: [0, 1, 2, 6.25].map(x => expect.closeTo(Math.sin(x) + Math.cos(x), 5)),
  device: 'wasm',
  ran: thread,
})
type App = { compute(thread: string): Promise<unknown> }

let project: Project
beforeEach(() => {
  project = makeProject({ 'wave.model.ts': model, 'app.js': app, 'package.json': '{"type":"module"}' })
})
afterEach(() => project.remove())
const cache = (): string => join(project.root, '.cache')

/** Runs built code as a process of its own, which ends by itself: nothing may keep it alive. */
const runBuilt = async (file: string, thread: string): Promise<unknown> => {
  const script = project.write(
    'run.mjs',
    `import { compute } from ${JSON.stringify(pathToFileURL(file).href)}\nconsole.log(JSON.stringify(await compute(${JSON.stringify(thread)})))`,
  )
  const { stdout } = await promisify(execFile)(process.execPath, [script], { timeout: 20_000 })
  return JSON.parse(stdout)
}

describe('a model computes', () => {
  it('in the SSR of the dev server', async () => {
    const server = await createServer({
      configFile: false,
      root: project.root,
      logLevel: 'silent',
      plugins: [vite({ cache: cache() })],
      server: { middlewareMode: true, ws: false },
    })
    try {
      const { compute } = (await server.ssrLoadModule('/app.js')) as App
      expect(await compute('caller')).toEqual(expected('caller'))
    } finally {
      await server.close()
    }
  })

  it.each(['caller', 'worker'])('in an SSR build that was moved elsewhere, on the %s', async thread => {
    await build({
      configFile: false,
      root: project.root,
      base: '/somewhere/',
      logLevel: 'silent',
      plugins: [vite({ cache: cache() })],
      build: { ssr: 'app.js', outDir: 'server' },
    })
    expect(await runBuilt(join(project.root, 'server/app.js'), thread)).toEqual(expected(thread))
  })

  it.each([
    ['rollup', 'caller'],
    ['rollup', 'worker'],
    ['rolldown', 'worker'],
  ] as const)('in a build by %s, on the %s', async (bundler, thread) => {
    const input = join(project.root, 'app.js')
    const plugins = [quern({ cache: cache(), platform: 'node' })]
    const bundle = await (bundler === 'rollup'
      ? rollup({ input, plugins, external: /^node:/ })
      : rolldown({ input, plugins, platform: 'node' }))
    await bundle.write({ dir: join(project.root, 'out'), format: 'es' })
    await bundle.close()
    expect(await runBuilt(join(project.root, 'out/app.js'), thread)).toEqual(expected(thread))
  })

  it('in Vitest', async () => {
    const plugin = new URL('../dist/index.js', import.meta.url).href
    project.write(
      'vitest.config.js',
      `import quern from ${JSON.stringify(plugin)}\nexport default { plugins: [quern()], test: { globals: true } }`,
    )
    // What jsdom and happy-dom do: modules as for a browser, run in Node.
    project.write(
      'dom.js',
      `export default { name: 'dom', viteEnvironment: 'client', setup: () => ({ teardown() {} }) }`,
    )
    for (const [name, first] of [
      ['app', ''],
      ['dom', '// @vitest-environment ./dom.js\n'],
    ])
      project.write(
        `${name}.test.js`,
        `${first}import { compute } from './app.js'
       test.each(['caller', 'worker'])('computes on the %s', async thread => {
         const { y, ran } = await compute(thread)
         expect(ran).toBe(thread)
         expect(y[1]).toBeCloseTo(Math.sin(1) + Math.cos(1), 5)
       })`,
      )
    const vitest = join(createRequire(import.meta.url).resolve('vitest/package.json'), '../vitest.mjs')
    const { VITEST: _, ...env } = process.env
    const { stdout } = await promisify(execFile)(
      process.execPath,
      [vitest, 'run', '--root', project.root, '--reporter=json'],
      {
        env: { ...env, NODE_PATH: fileURLToPath(new URL('../../../node_modules', import.meta.url)) },
        timeout: 30_000,
      },
    )
    expect(JSON.parse(stdout)).toMatchObject({ success: true, numPassedTests: 4 })
  })
})
