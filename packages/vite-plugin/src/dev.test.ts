/** @file The dev server: what clients and servers get, what a change reaches, and how a mistake shows and goes away. */
import { readFileSync } from 'node:fs'
import { get } from 'node:http'
import { join } from 'node:path'
import { type InlineConfig, type Logger, type ViteDevServer, createLogger, createServer, preview } from 'vite'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { ModelParts } from '@quern/artifact'
import quern, { type QuernOptions } from './index.ts'
import { type Project, app, makeProject, standIns, twoLayers } from './testing/project.ts'

let project: Project
let server: ViteDevServer | undefined
beforeEach(() => {
  project = makeProject({
    'two.model.ts': twoLayers,
    'app.ts': app,
    'index.html': '<script type="module" src="./app.ts"></script>',
  })
})
afterEach(async () => {
  await server?.close()
  server = undefined
  project.remove()
})

const options = (more: QuernOptions = {}): QuernOptions => ({ standIns: standIns(project), ...more })
const start = async (config: InlineConfig = {}, more: QuernOptions = {}): Promise<ViteDevServer> => {
  server = await createServer({
    configFile: false,
    root: project.root,
    logLevel: 'silent',
    plugins: [quern(options(more))],
    ...config,
    server: { port: 0, host: '127.0.0.1', ...config.server },
  })
  await server.listen()
  return server
}
const address = ({ httpServer }: { readonly httpServer: { address(): unknown } | null }): string =>
  `http://127.0.0.1:${(httpServer?.address() as { port: number } | undefined)?.port}`
/** Plain HTTP: `fetch` hides the headers that matter here. */
const fetchText = (url: string, headers: Record<string, string> = {}) =>
  new Promise<{ status: number | undefined; headers: Record<string, unknown>; text: string }>((done, fail) => {
    get(url, { headers }, response => {
      let text = ''
      response.on('data', chunk => (text += chunk))
      response.on('end', () => done({ status: response.statusCode, headers: response.headers, text }))
    }).on('error', fail)
  })
/** What the client hears, as Vite's own client does. */
const listen = (vite: ViteDevServer) => {
  const heard: { type: string }[] = []
  const { hot } = vite.environments.client
  const send = hot.send.bind(hot)
  hot.send = ((...args: Parameters<typeof send>) => {
    const [payload] = args
    if (typeof payload === 'object') heard.push(payload)
    send(...args)
  }) as typeof hot.send
  return {
    heard,
    next: async (type: string): Promise<void> => {
      for (let i = 0; i < 200 && !heard.some(p => p.type === type); i++) await new Promise(r => setTimeout(r, 25))
      expect(heard.map(p => p.type)).toContain(type)
    },
  }
}
const partsIn = async (vite: ViteDevServer): Promise<ModelParts> => {
  const { net } = (await vite.ssrLoadModule('/app.ts')) as { net: { parts: ModelParts } }
  return net.parts
}
const opsIn = async (vite: ViteDevServer): Promise<string> =>
  readFileSync(new URL(String((await partsIn(vite)).artifacts[0]?.assets['code.wasm'])), 'utf8')

describe('dev', () => {
  it.each(['/', '/sub/'])('serves a client the files of a program, under base %s', async base => {
    const vite = await start({ base })
    const at = address(vite)
    const main = await fetchText(`${at}${base}two.model.ts`)
    expect(main.text).toContain('two.model.ts?quern-export=default')
    expect(main.text).toContain('labels')
    const stub = await fetchText(`${at}${base}two.model.ts?quern-export=default`)
    const url = /"code.wasm": "([^"]+)"/.exec(stub.text)?.[1] ?? ''
    expect(url.startsWith(`${base}@quern/`)).toBe(true)
    const code = await fetchText(at + url)
    expect(code.text).toBe('wasm: matmul matmul')
    expect(code.headers).toMatchObject({
      'content-type': 'application/wasm',
      'content-length': '19',
      'cross-origin-resource-policy': 'cross-origin',
    })
    expect((await fetchText(`${at}${base}@quern/0/../../etc/passwd`)).text).not.toContain('root:')
  })

  it('gives server code files, from the same compilation', async () => {
    const vite = await start()
    await vite.environments.client.transformRequest('/two.model.ts?quern-export=default')
    expect(await opsIn(vite)).toBe('wasm: matmul matmul')
    expect(readFileSync(join(project.root, '.compiler/compiled.log'), 'utf8').trim().split('\n')).toHaveLength(4)
  })

  it('compiles anew when the model, a module of it or a weight file changes, and reloads the page', async () => {
    project.write('weights.bin', '1')
    project.write(
      'layers.ts',
      `import { matmul, type Tensor } from '@quern/model'\nexport const f = (x: Tensor<'f32', [4, 4]>) => matmul(x, x)`,
    )
    const head = `import { readFileSync } from 'node:fs'\nimport { f } from './layers.ts'\nexport const bytes = readFileSync(new URL('./weights.bin', import.meta.url), 'utf8')\n`
    project.write('two.model.ts', head + twoLayers)
    const vite = await start()
    const client = vite.environments.client
    await client.transformRequest('/app.ts')
    await client.transformRequest('/two.model.ts')
    expect(await opsIn(vite)).toBe('wasm: matmul matmul')

    const edits: [string, string, () => Promise<unknown>, unknown][] = [
      ['two.model.ts', head + twoLayers.replace('matmul(x, matmul(x, x))', 'f(x)'), () => opsIn(vite), 'wasm: matmul'],
      [
        'layers.ts',
        `import { matmul } from '@quern/model'\nexport const f = x => matmul(matmul(x, x), x)`,
        () => opsIn(vite),
        'wasm: matmul matmul',
      ],
      ['weights.bin', '2', async () => (await client.transformRequest('/two.model.ts'))?.code.includes('"2"'), true],
    ]
    for (const [name, text, observe, expected] of edits) {
      const { next } = listen(vite)
      project.write(name, text)
      await next('full-reload')
      expect(await observe(), name).toEqual(expected)
      await client.transformRequest('/two.model.ts')
    }
  })

  it('shows a mistake at its line in the overlay, and recovers on the next save of any file concerned', async () => {
    project.write(
      'layers.ts',
      `import { matmul } from '@quern/model'\nexport const f = (x: never) =>\n  matmul(x, x.rows)`,
    )
    project.write(
      'two.model.ts',
      twoLayers.replace('matmul(x, matmul(x, x))', 'f(x)').replace('\n', "\nimport { f } from './layers.ts'\n"),
    )
    const vite = await start()
    await vite.environments.client.transformRequest('/app.ts')
    const client = listen(vite)
    const answer = await fetchText(`${address(vite)}/two.model.ts`)
    expect(answer.status).toBe(500)
    const error = /const error = (\{.*\})/.exec(answer.text)?.[1]
    const shown = JSON.parse(error ?? '{}') as Record<string, unknown>
    expect(shown).toMatchObject({
      id: join(project.root, 'two.model.ts'),
      plugin: 'quern',
      loc: { file: join(project.root, 'layers.ts'), line: 3, column: 3 },
    })
    expect(shown['frame']).toContain('layers.ts:3:3\n')
    expect(shown['frame']).toContain('3 |   matmul(x, x.rows)')

    project.write('layers.ts', `import { matmul } from '@quern/model'\nexport const f = (x: never) => matmul(x, x)`)
    await client.next('full-reload')
    expect((await fetchText(`${address(vite)}/two.model.ts`)).status).toBe(200)
  })

  it('recovers when a module that was missing appears', async () => {
    project.write('two.model.ts', `import './late.ts'\n${twoLayers}`)
    const vite = await start()
    await vite.environments.client.transformRequest('/app.ts')
    const client = listen(vite)
    const answer = await fetchText(`${address(vite)}/two.model.ts`)
    expect(answer.status).toBe(500)
    expect(answer.text).toContain('cannot find ./late.ts')
    project.write('late.ts', 'export {}')
    await client.next('full-reload')
    expect((await fetchText(`${address(vite)}/two.model.ts`)).status).toBe(200)
  })

  it.each([
    [
      'an empty file',
      '',
      /model\/no-model.*two\.model\.ts exports no model: `export default model\(…\)` makes one/,
      'two.model.ts:1',
    ],
    [
      'a model that is not exported',
      twoLayers.replace('export default model', 'const net = model').replace(/export const unused.*/, ''),
      /model\/not-exported.*two\.model\.ts makes the model net and does not export it.*`export default net`/,
      'two.model.ts:3',
    ],
    [
      'a default import of named models',
      twoLayers.replace('export default model', 'export const net = model'),
      /model\/no-such-export.*two\.model\.ts has no default export: its models are net, unused: write `import \{ net \} from …`/,
      'app.ts:1',
    ],
  ])('refuses %s in the overlay, and recovers', async (_, text, says, place) => {
    project.write('two.model.ts', text)
    const vite = await start()
    expect((await fetchText(`${address(vite)}/app.ts`)).status).toBe(200)
    const client = listen(vite)
    const answer = await fetchText(`${address(vite)}/two.model.ts`)
    expect(answer.status).toBe(500)
    const shown = JSON.parse(/const error = (\{.*\})/.exec(answer.text)?.[1] ?? '{}') as Record<string, unknown>
    expect(shown['message']).toMatch(says)
    const { file, line } = shown['loc'] as { file: string; line: number }
    expect(`${file}:${line}`).toBe(join(project.root, place))
    expect(shown['frame']).toContain(' | ')
    project.write('two.model.ts', twoLayers)
    await client.next('full-reload')
    expect((await fetchText(`${address(vite)}/two.model.ts`)).status).toBe(200)
  })

  it('refuses a name in an importer that is saved after the model file was loaded', async () => {
    const vite = await start()
    await vite.environments.client.transformRequest('/app.ts')
    await vite.environments.client.transformRequest('/two.model.ts')
    project.write(
      'other.ts',
      `// a type\ntype T = number\nimport { unsed } from './two.model.ts'\nexport const t: T = unsed`,
    )
    const answer = await fetchText(`${address(vite)}/other.ts`)
    expect(answer.text).toMatch(/two\.model\.ts has no export unsed: did you mean unused\?/)
    expect(answer.text).toMatch(/"line":3,"column":10/)
  })

  it('ends an evaluation when a file that it reads is saved, and evaluates again', async () => {
    project.write('turns.ts', 'export const turns = () => { for (;;); }')
    project.write('two.model.ts', `import { turns } from './turns.ts'\n${twoLayers}turns()`)
    const lines: string[] = []
    const customLogger: Logger = { ...createLogger('info'), info: line => void lines.push(line), warn: () => {} }
    const vite = await start({ customLogger, logLevel: 'info' })
    const asked = vite.environments.client.transformRequest('/two.model.ts')
    for (let i = 0; i < 1000 && !lines.some(l => l.includes('is running')); i++)
      await new Promise(r => setTimeout(r, 25))
    expect(lines.join('\n')).toMatch(/still evaluating .*two\.model\.ts \(\d+ s\): .*turns\.ts:1 is running/)
    const saved = performance.now()
    project.write('turns.ts', 'export const turns = () => {}')
    expect((await asked)?.code).toContain('labels')
    expect(performance.now() - saved).toBeLessThan(15_000)
  })

  it('closes while a model is evaluated that never ends', async () => {
    project.write('two.model.ts', 'for (;;);')
    const vite = await start()
    const asked = vite.environments.client.transformRequest('/two.model.ts').catch((e: unknown) => e)
    await new Promise(r => setTimeout(r, 1500))
    await vite.close()
    server = undefined
    await asked
  })

  it('answers other requests while a model is evaluated', async () => {
    project.write('two.model.ts', `const until = Date.now() + 1500\nwhile (Date.now() < until);\n${twoLayers}`)
    const vite = await start()
    const slow = vite.environments.client.transformRequest('/two.model.ts')
    await new Promise(r => setTimeout(r, 300))
    const asked = performance.now()
    await fetchText(`${address(vite)}/app.ts`)
    expect(performance.now() - asked).toBeLessThan(1000)
    expect((await slow)?.code).toContain('labels')
  })
})

describe('cross-origin isolation', () => {
  const isolated = {
    'cross-origin-opener-policy': 'same-origin',
    'cross-origin-embedder-policy': 'require-corp',
  }
  const logger = (): { lines: string[]; logger: Logger } => {
    const lines: string[] = []
    return { lines, logger: { ...createLogger('info'), info: line => void lines.push(line), warn: () => {} } }
  }

  it('is off by default, and dev says once what it would gain', async () => {
    const { lines, logger: customLogger } = logger()
    const vite = await start({ customLogger, logLevel: 'info' })
    for (const name of ['default', 'unused', 'default'])
      await vite.environments.client.transformRequest(`/two.model.ts?quern-export=${name}`)
    const { headers } = await fetchText(`${address(vite)}/`, { accept: 'text/html' })
    expect(headers).not.toHaveProperty('cross-origin-opener-policy')
    expect(lines.filter(l => l.includes('crossOriginIsolation: true'))).toHaveLength(1)
  })

  it('sends the headers in dev and preview where asked to', async () => {
    const { lines, logger: customLogger } = logger()
    const vite = await start({ customLogger, logLevel: 'info' }, { crossOriginIsolation: true })
    await vite.environments.client.transformRequest('/two.model.ts?quern-export=default')
    expect((await fetchText(`${address(vite)}/`, { accept: 'text/html' })).headers).toMatchObject(isolated)
    expect(lines.join('\n')).not.toContain('crossOriginIsolation')

    project.write('dist/index.html', 'built')
    const built = await preview({
      configFile: false,
      root: project.root,
      logLevel: 'silent',
      plugins: [quern(options({ crossOriginIsolation: true }))],
      preview: { port: 0, host: '127.0.0.1' },
    })
    try {
      expect((await fetchText(`${address(built)}/`)).headers).toMatchObject(isolated)
    } finally {
      await built.close()
    }
  })
})
