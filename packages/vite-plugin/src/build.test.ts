/** @file Builds of one project by Vite, Rollup and Rolldown: what is emitted, where the code looks for it, and what is left out. */
import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import type { ModelParts } from '@quern/artifact'
import { rolldown } from 'rolldown'
import { rollup } from 'rollup'
import { type InlineConfig, build } from 'vite'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import vite, { type QuernOptions } from './index.ts'
import quern from './rollup.ts'
import { type Project, app, makeProject, standIns, twoLayers } from './testing/project.ts'

let project: Project
beforeEach(() => {
  project = makeProject({
    'two.model.ts': twoLayers,
    'app.ts': app,
    'index.html': '<script type="module" src="./app.ts"></script>',
  })
})
afterEach(() => project.remove())

const options = (more: QuernOptions = {}): QuernOptions => ({
  standIns: standIns(project),
  cache: join(project.root, '.cache'),
  ...more,
})
const viteBuild = async (config: InlineConfig = {}, more: QuernOptions = {}): Promise<string> => {
  await build({
    configFile: false,
    root: project.root,
    logLevel: 'silent',
    plugins: [vite(options(more))],
    ...config,
    build: { minify: false, outDir: 'dist', ...config.build },
  })
  return join(project.root, 'dist')
}
const filesIn = (dir: string): string[] =>
  readdirSync(dir, { recursive: true, encoding: 'utf8' })
    .filter(f => /\.\w+$/.test(f))
    .map(f => f.replace(/-[\w-]{8}\./, '-HASH.'))
    .sort()
const codeIn = (dir: string): string =>
  readdirSync(dir, { recursive: true, encoding: 'utf8' })
    .filter(f => f.endsWith('.js'))
    .map(f => readFileSync(join(dir, f), 'utf8'))
    .join('\n')
/** Where the code looks for a file, as it is spelled there. */
const places = (code: string, file: string): string[] =>
  [...code.matchAll(/["']([\w.]+)["']: (.*?),?$/gm)].filter(m => m[1] === file).map(m => m[2] ?? '')
/** Runs built code in Node: the first byte of each target's weights, read from where the code says they are. */
const weightsOf = async (file: string): Promise<unknown> => {
  const { net } = (await import(pathToFileURL(file).href)) as { net: { parts: ModelParts } }
  return net.parts.artifacts.map(({ assets }) => readFileSync(new URL(String(assets['weights.bin'])))[0])
}
const compiled = (): string[] => readFileSync(join(project.root, '.compiler/compiled.log'), 'utf8').trim().split('\n')

describe('vite build', () => {
  it('emits the files of the programs that are used, and inlines the small ones', async () => {
    const dist = await viteBuild()
    expect(filesIn(dist).filter(f => !f.includes('worker'))).toEqual([
      'assets/index-HASH.js',
      'assets/two-weights-HASH.bin',
      'assets/two-weights-HASH.bin',
      'index.html',
    ])
    const code = codeIn(dist)
    expect(places(code, 'code.wasm')).toEqual([`"data:application/wasm;base64,${btoa('wasm: matmul matmul')}"`])
    expect(places(code, 'weights.bin')[0]).toMatch(/^"\/assets\/two-weights-[\w-]+\.bin"$/)
    expect(code).toMatch(/labels: \["a", "b"\]/)
    expect(code).not.toContain('unused')
    expect(code).not.toContain('model/not-compiled')
  })

  it.each([
    ['/sub/', /^"\/sub\/assets\/two-weights-[\w-]+\.bin"$/],
    ['./', /^new URL\("two-weights-[\w-]+\.bin", import\.meta\.url\)\.href$/],
  ])('follows base %s', async (base, expected) => {
    expect(places(codeIn(await viteBuild({ base })), 'weights.bin')[1]).toMatch(expected)
  })

  it('follows renderBuiltUrl and assetsInlineLimit', async () => {
    const dist = await viteBuild({
      build: { assetsInlineLimit: 0 },
      experimental: { renderBuiltUrl: name => `https://cdn.example/${name}` },
    })
    expect(places(codeIn(dist), 'code.wasm')[0]).toMatch(/^"https:\/\/cdn\.example\/assets\/two-code-[\w-]+\.wasm"$/)
    expect(filesIn(dist)).toContain('assets/two-code-HASH.wasm')
  })

  it('inlines what a function chooses', async () => {
    const asked: string[] = []
    const dist = await viteBuild({
      build: {
        assetsInlineLimit: file => {
          asked.push(file)
          return !file.endsWith('.wasm')
        },
      },
    })
    expect(filesIn(dist).filter(f => f.includes('two'))).toEqual(['assets/two-code-HASH.wasm'])
    expect(asked.every(existsSync)).toBe(true)
  })

  it('gives a server build files of its own, beside its code', async () => {
    const dist = await viteBuild({ build: { ssr: 'app.ts' } })
    expect(await weightsOf(join(dist, 'app.mjs'))).toEqual([1, 2])
    expect(filesIn(dist)).toContain('assets/two-code-HASH.wasm')
  })

  it('builds client and server side by side, in either format, without a warning of the bundler', async () => {
    const codes: string[] = []
    const onLog = (_: unknown, log: { readonly code?: string }): void => void codes.push(log.code ?? '')
    await viteBuild({ build: { outDir: 'dist/client', rolldownOptions: { onLog } } })
    for (const format of ['es', 'cjs'] as const) {
      const output = { format, entryFileNames: `deep/[name].${format === 'es' ? 'mjs' : 'cjs'}` }
      await viteBuild({ build: { outDir: `dist/${format}`, ssr: 'app.ts', rolldownOptions: { onLog, output } } })
      const built = join(project.root, 'dist', format, `deep/app.${format === 'es' ? 'mjs' : 'cjs'}`)
      expect(await weightsOf(built)).toEqual([1, 2])
      expect(filesIn(join(project.root, 'dist', format)).filter(f => f.includes('unused'))).toEqual([])
    }
    expect(codes.filter(c => c === 'FILE_NAME_CONFLICT')).toEqual([])
  })

  it('compiles once for several builds', async () => {
    await viteBuild()
    const before = compiled()
    expect(before.sort()).toEqual(['two wasm', 'two webgpu', 'two.unused wasm', 'two.unused webgpu'])
    await viteBuild({ build: { ssr: 'app.ts' } })
    expect(compiled()).toHaveLength(before.length)
    await viteBuild({}, { targets: ['wasm'] })
    expect(compiled().slice(before.length).sort()).toEqual(['two wasm', 'two.unused wasm'])
  })

  it('follows aliases inside a model file', async () => {
    project.write('lib/layers.ts', `export { matmul as twice } from 'quern'`)
    project.write(
      'two.model.ts',
      twoLayers.replace('\n', `\nimport { twice } from '@/layers'\n`).replace('matmul(x, matmul(x, x))', 'twice(x, x)'),
    )
    const alias = [
      { find: '@', replacement: join(project.root, 'lib') },
      { find: /^quern$/, replacement: '@quern/model' },
    ]
    const code = codeIn(await viteBuild({ resolve: { alias } }))
    expect(places(code, 'code.wasm')).toEqual([`"data:application/wasm;base64,${btoa('wasm: matmul')}"`])
  })

  it('fails at the line of the model file', async () => {
    const file = project.write('two.model.ts', twoLayers.replace('matmul(x, matmul(x, x))', 'matmul(x, x, x.y.z)'))
    const error: unknown = await viteBuild().catch((e: unknown) => e)
    expect(String(error)).toContain('[model/threw] TypeError')
    expect(String(error)).toContain(`${file}:3:`)
    expect(String(error).split('[model/threw]')).toHaveLength(2)
  })

  it('names what an importer takes that the file has not', async () => {
    project.write('two.model.ts', twoLayers.replace('export default model', 'export const net = model'))
    await expect(viteBuild()).rejects.toThrow(/two\.model\.ts has no default export: its models are net, unused/)
  })

  it('names an export that is neither a model nor data', async () => {
    project.write('two.model.ts', `${twoLayers}export const helper = () => 1\n`)
    const said = String(await viteBuild().catch((e: unknown) => e))
    expect(said).toMatch(/two\.model\.ts exports `helper`, which is a function/)
    expect(said).toMatch(/5 \| export const helper = \(\) => 1\n +\| +\^{6}\n/)
  })

  it('leaves excluded files and those with a query alone', async () => {
    project.write('app.ts', `import text from './two.model.ts?raw'\nglobalThis.text = text`)
    expect(codeIn(await viteBuild())).toContain('import { model, tensor, matmul }')
  })
})

describe('workers', () => {
  const files = (): void => {
    project.write('app.ts', `new Worker(new URL('./worker.ts', import.meta.url), { type: 'module' })`)
    project.write('worker.ts', `import net from './two.model.ts'\npostMessage(net)`)
    // As an installed package: the worker's bundle has no plugin that finds ours.
    project.write('node_modules/@quern/model/package.json', '{"name":"@quern/model","type":"module","main":"index.js"}')
    project.write(
      'node_modules/@quern/model/index.js',
      `export const model = (...a) => ({ a, load: () => { throw new Error('[model/not-compiled]') } }), tensor = model, matmul = model`,
    )
  }

  it('get compiled models by worker.plugins', async () => {
    files()
    const dist = await viteBuild({ worker: { format: 'es', plugins: () => [vite(options())] } })
    expect(filesIn(dist)).toContain('assets/two-weights-HASH.bin')
    expect(codeIn(dist)).toMatch(/two-weights-[\w-]+\.bin/)
    expect(codeIn(dist)).not.toContain('model/not-compiled')
  })

  it('may compile in process, and then hold uncompiled models', async () => {
    files()
    project.write(
      'worker.ts',
      `import net from './two.model.ts'\nimport { jit } from '@quern/jit'\njit(net).then(postMessage)`,
    )
    const jit = fileURLToPath(new URL('../../jit/dist/index.js', import.meta.url))
    const dist = await viteBuild({ worker: { format: 'es' }, resolve: { alias: { '@quern/jit': jit } } })
    expect(codeIn(dist)).toContain('model/not-compiled')
  })

  it('fail the build without them', async () => {
    files()
    await expect(viteBuild({ worker: { format: 'es' } })).rejects.toThrow(
      "worker: { format: 'es', plugins: () => [quern()] }",
    )
  })
})

describe.each(['rollup', 'rolldown'] as const)('%s', bundler => {
  const run = async (): Promise<{ readonly dir: string; readonly watched: readonly string[] }> => {
    const dir = join(project.root, 'dist')
    const input = join(project.root, 'app.mjs')
    project.write('app.mjs', app)
    const bundle =
      bundler === 'rollup'
        ? await rollup({ input, plugins: [quern(options())], external: /platform/, onwarn: () => {} })
        : await rolldown({ input, plugins: [quern(options())], logLevel: 'silent' })
    await bundle.write({ dir, format: 'es' })
    const watched = await bundle.watchFiles
    await bundle.close()
    return { dir, watched }
  }

  it('builds, and finds the files relative to the code', async () => {
    const { dir } = await run()
    const code = codeIn(dir)
    expect(await weightsOf(join(dir, 'app.js'))).toEqual([1, 2])
    expect(filesIn(dir).filter(f => f.includes('two'))).toHaveLength(4)
    expect(code).not.toContain('unused')
  })

  it('watches what a model file reads, which is in no bundle', async () => {
    project.write('layers.ts', `export { matmul } from '@quern/model'`)
    project.write('scale.bin', '2')
    const head = `import { readFileSync } from 'node:fs'\nimport './layers.ts'\nexport const scale = readFileSync(new URL('./scale.bin', import.meta.url), 'utf8')\n`
    project.write('two.model.ts', head + twoLayers)
    const { watched } = await run()
    for (const name of ['two.model.ts', 'layers.ts', 'scale.bin']) expect(watched).toContain(join(project.root, name))
  })
})

describe('options', () => {
  it.each<[object, string, RegExp]>([
    [{ target: ['wasm'] }, 'vite-plugin/unknown-option', /no option target: did you mean targets\?/],
    [{ maxbytes: 9 }, 'vite-plugin/unknown-option', /did you mean maxBytes\?/],
    [{ targets: ['web-gpu'] }, 'vite-plugin/option-value', /did you mean webgpu\?/],
    [
      { targets: 'wasm' },
      'vite-plugin/option-value',
      /a list like \['wasm', 'webgpu'\] as its option targets, not "wasm"/,
    ],
    [{ numerics: 'exactly' }, 'vite-plugin/option-value', /did you mean exact\?/],
    [{ maxBytes: '1 MB' }, 'vite-plugin/option-value', /a positive number as its option maxBytes, not "1 MB"/],
    [{ cache: 3 }, 'vite-plugin/option-value', /true, false or a folder/],
    [{ crossOriginIsolation: 'yes' }, 'vite-plugin/option-value', /true or false/],
    [{ platform: 'browsers' }, 'vite-plugin/option-value', /did you mean browser\?/],
  ])('%o', (given, code, says) => {
    for (const plugin of [vite, quern])
      expect(() => plugin(given as QuernOptions)).toThrow(
        expect.objectContaining({ code, message: expect.stringMatching(says) }),
      )
  })
})
