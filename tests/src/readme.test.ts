/** @file The parts of the README that show real files and real output are what the build makes today; `npm run docs` writes them. */
import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { cp, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { compile } from '@quern/compiler'
import { add, dim, model, mul, nn, programOf, tensor } from '@quern/model'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

const root = fileURLToPath(new URL('../..', import.meta.url))
const readme = join(root, 'README.md')
const run = promisify(execFile)
const clean = { ...process.env, NODE_OPTIONS: '', NO_COLOR: '1', FORCE_COLOR: '0' }

const app = {
  'package.json': '{ "type": "module" }',
  'index.html':
    '<!doctype html><meta charset="utf-8"><title>digits</title><script type="module" src="./main.ts"></script>',
  'main.ts': `import digits from './digits.model.ts'
const net = await digits.load()
const { probs } = await net.run({ image: new Float32Array(784) })
document.body.textContent = String(probs.data)`,
  'vite.config.js': `import quern from '@quern/vite-plugin'
import { writeFileSync } from 'node:fs'
const keepStub = { name: 'keep-stub', transform: code => { if (code.includes('createModel({')) writeFileSync('stub.js', code) } }
export default { base: './', plugins: [quern({ targets: ['wasm'], cache: false }), keepStub], build: { target: 'es2023', assetsInlineLimit: 0 } }`,
  'wrong.model.ts': `import { matmul, model, nn, tensor, constant } from '@quern/model'
const w0 = constant(new Float32Array(784 * 128), 'f32', [784, 128])
const w1 = constant(new Float32Array(96 * 10), 'f32', [96, 10])
export default model({ image: tensor('f32', [1, 784]) }, ({ image }) => {
  const hidden = nn.relu(matmul(image, w0))
  const logits = matmul(hidden, w1)
  return { probs: nn.softmax(logits) }
})
`,
} as const

describe('the README', () => {
  let folder: string
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'quern-readme-'))
    for (const [name, text] of Object.entries(app)) await writeFile(join(folder, name), text)
    for (const name of ['digits.model.ts', 'digits.safetensors'])
      await cp(join(root, 'playground/src/models', name), join(folder, name))
    await symlink(join(root, 'playground/node_modules'), join(folder, 'node_modules'))
  })
  afterAll(() => rm(folder, { recursive: true, force: true }))

  it('shows what the build makes today', async () => {
    const vite = join(root, 'node_modules/vite/bin/vite.js')
    const { stdout } = await run(process.execPath, [vite, 'build', '--emptyOutDir'], { cwd: folder, env: clean })
    const files = stdout
      .split('\n')
      .filter(line => line.startsWith('dist/'))
      .map(withoutHash)
    const parts: Readonly<Record<string, string>> = {
      example: fence(
        'ts',
        `// digits.model.ts: ordinary TypeScript, run at build time\n${(await readFile(join(folder, 'digits.model.ts'), 'utf8')).replace(/^\/\*\*.*\*\/\n/, '').trim()}`,
      ),
      'vite-build': fence('', files.join('\n')),
      stub: fence('js', await stubText(folder)),
      kernel: await kernelText(),
      error: fence('', await errorText(folder, vite)),
    }
    let text = await readFile(readme, 'utf8')
    for (const [name, part] of Object.entries(parts))
      text = text.replace(
        new RegExp(`(<!-- begin:${name} -->)[^]*?(<!-- end:${name} -->)`),
        (_, begin: string, end: string) => `${begin}\n${part}\n${end}`,
      )
    await expect(text).toMatchFileSnapshot(readme)
  }, 120_000)

  it('begins with a model that computes what it says', async () => {
    const text = await readFile(readme, 'utf8')
    const [, source = ''] = /half\.model\.ts, [^\n]*\n([^]*?)\n\n\/\/ main\.ts/.exec(text) ?? []
    await writeFile(join(folder, 'half.model.ts'), source)
    const cli = join(root, 'packages/cli/dist/main.js')
    const { stdout } = await run(process.execPath, [cli, 'run', 'half.model.ts', '-i', 'x=[[1, -2], [3, 4]]'], {
      cwd: folder,
      env: clean,
    })
    const [, said = ''] = /String\(y\.data\) +\/\/ (.*)/.exec(text) ?? []
    expect(stdout.trim()).toBe(`y: f32[2,2] ${said.replaceAll(',', ' ')}`)
  }, 60_000)

  it('names only files that are there', async () => {
    const text = await readFile(readme, 'utf8')
    const links = [...text.matchAll(/\]\((?!http)([^)#]+)\)/g)].map(m => m[1] ?? '')
    expect(links.length).toBeGreaterThan(3)
    for (const link of links) expect(existsSync(join(root, link)), link).toBe(true)
  })
})

const fence = (language: string, text: string): string => `\`\`\`${language}\n${text}\n\`\`\``
/** Hashes and sizes in brotli change with every kernel; names and order of magnitude are what a reader wants. */
const withoutHash = (line: string): string => {
  const [name = '', ...rest] = line
    .replace(/-[\w-]{8}(?=\.\w+)/, '')
    .replace(/│ map:.*$/, '')
    .trim()
    .split(/\s+/)
  return `${name.padEnd(46)} ${rest.join(' ')}`
}

/** The stub as the plugin hands it to the bundler; manifests are data of a kilobyte or two, and cut after four fields. */
const stubText = async (folder: string): Promise<string> =>
  (await readFile(join(folder, 'stub.js'), 'utf8'))
    .trim()
    .replace(
      // It ends where a line is indented as its first.
      /^(\t*)manifest: \{\s+((?:"\w+": [^\n]+\s+){4})[^]*?\n\1\},/gm,
      (_, indent: string, fields: string) =>
        `${indent}manifest: { ${fields
          .trim()
          .split(/\s*\n\s*/)
          .join(' ')} … },`,
    )
    .replaceAll('\t', '  ')

const kernelText = async (): Promise<string> => {
  const line = "model({ x: tensor('f32', [dim('n')]) }, ({ x }) => ({ y: nn.relu(add(mul(x, 2), 1)) }))"
  const { graph } = programOf(model({ x: tensor('f32', [dim('n')]) }, ({ x }) => ({ y: nn.relu(add(mul(x, 2), 1)) })))
  const stages = new Map<string, string>()
  for (const target of ['wasm', 'webgpu'] as const)
    await compile(graph, target, { onStage: (name, text) => stages.set(`${target} ${name}`, text) })
  const wat = /\(func \$mul_add_relu[^]*?\n {2}\)/.exec(stages.get('wasm wat') ?? '')?.[0] ?? ''
  const wgsl = stages.get('webgpu wgsl') ?? ''
  expect(wat).not.toBe('')
  expect(wgsl).toContain('@compute')
  const noOrigin = (text: string): string =>
    text
      .split('\n')
      .filter(l => !/readme\.test\.ts/.test(l))
      .join('\n')
      .trim()
  return [fence('ts', line), fence('wat', noOrigin(wat)), fence('wgsl', noOrigin(wgsl))].join('\n\n')
}

const errorText = async (folder: string, vite: string): Promise<string> => {
  await writeFile(join(folder, 'main.ts'), "import wrong from './wrong.model.ts'\nvoid wrong.load()")
  const failed = await run(process.execPath, [vite, 'build'], { cwd: folder, env: clean }).catch(
    (error: { stderr: string }) => error,
  )
  const lines = failed.stderr.split('\n')
  const start = lines.findIndex(l => l.includes('[matmul/inner-dims-agree]'))
  expect(start, failed.stderr).toBeGreaterThanOrEqual(0)
  // Below the message stands the stack, of the folder of this test.
  const end = lines.findIndex((l, i) => i > start && (!l.startsWith('  ') || l.startsWith('    at ')))
  return lines
    .slice(start, end)
    .join('\n')
    .replace(/^.*?\[/, 'error[')
    .trimEnd()
}
