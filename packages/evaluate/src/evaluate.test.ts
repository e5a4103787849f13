/** @file A model file through bundling, a worker thread and the cache, with a compiler that only counts. */
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { fileOf } from './cache.ts'
import { evaluateModelFile } from './evaluate.ts'
import { type Progress, progressInWords } from './progress.ts'
import type { EvaluateOptions } from './types.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'quern-evaluate-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

const write = (name: string, text: string): string => {
  const path = join(folder, name)
  writeFileSync(path, text)
  return path
}

/** Compiles a program to the names of its ops. */
const countingCompiler = `
  const compile = (program, target, { onStage }) => {
    const nodes = [...program.entries.values()].flatMap(g => g.nodes)
    onStage?.('graph', nodes.map(n => n.op).join(' '))
    if (program.name.startsWith('wasm only') && target === 'webgpu')
      throw Object.assign(new Error('[webgpu/unsupported-dtype] no f64'), { name: 'QuernError', code: 'webgpu/unsupported-dtype', details: {} })
    if (program.name === 'broken') {
      const cause = new TypeError('of undefined')
      throw Object.assign(new Error('[compiler/defect] this is a defect of Quern: TypeError', { cause }), { name: 'QuernError', code: 'compiler/defect', details: {} })
    }
    if (program.name === 'slow') for (;;);
    const code = new TextEncoder().encode(JSON.stringify(nodes.map(n => [n.op, n.origin])))
    return { manifest: { format: 1, name: program.name, target, entries: {}, code: { file: 'code.json' } }, files: { 'code.json': code } }
  }
  export const compileVariants = async (program, target, variants) => variants.map(v => compile(program, target, v))`

const evaluate = (file: string, options: EvaluateOptions = {}, compiler = countingCompiler) =>
  evaluateModelFile(file, {
    ...options,
    standIns: { '@quern/compiler': pathToFileURL(write('compiler.mjs', compiler)).href },
  })

const wave = `import { model, tensor, matmul } from '@quern/model'
export const labels = ['a', 'b']
export default model({ x: tensor('f32', [4, 4]) }, ({ x }) => {
  const s = matmul(x, x)
  return { y: matmul(s, matmul(x, s)) }
})
`
const codeOf = (evaluation: Awaited<ReturnType<typeof evaluate>>): unknown => {
  const bytes = evaluation.programs[0]?.artifacts[0]?.files['code.json']
  return bytes && JSON.parse(new TextDecoder().decode(bytes))
}

describe('evaluateModelFile', () => {
  it('compiles what a file exports, for every target, and returns the data beside it', async () => {
    const file = write('wave.model.ts', wave)
    const result = await evaluate(file)
    expect(result.error).toBeUndefined()
    expect(result.exports).toEqual({ labels: ['a', 'b'] })
    expect(result.programs.map(p => [p.exportName, p.name, p.kind, p.artifacts.map(a => a.manifest.target)])).toEqual([
      ['default', 'wave', 'model', ['wasm', 'webgpu']],
    ])
    // The line, column and variable that each tensor came from.
    expect(codeOf(result)).toEqual([
      ['matmul', { file, line: 4, column: 13, length: 6, name: 's' }],
      ['matmul', { file, line: 5, column: 25, length: 6 }],
      ['matmul', { file, line: 5, column: 15, length: 6, name: 'y' }],
    ])
    expect(result.dependencies).toEqual([file])
  })

  it('gives each module its own import.meta.url, and knows the files it names before it runs', async () => {
    write('words.json', '{"n":2}')
    write('here.ts', `export const url = import.meta.url, weights = new URL('./w.bin', import.meta.url).href`)
    const file = write(
      'a.model.ts',
      `import words from './words.json'\nexport * from './here.ts'\nexport const n = words.n, mine = import.meta.url`,
    )
    const { exports, dependencies, error } = await evaluate(file)
    expect(error).toBeUndefined()
    const at = (name: string): string => pathToFileURL(join(folder, name)).href
    expect(exports).toEqual({ n: 2, mine: at('a.model.ts'), url: at('here.ts'), weights: at('w.bin') })
    expect([...dependencies].sort()).toEqual(['a.model.ts', 'here.ts', 'w.bin', 'words.json'].map(n => join(folder, n)))
  })

  it('says which exports are no data', async () => {
    const file = write(
      'a.model.ts',
      `export const f = () => 1, ok = { a: [1] }, bad = { m: { n: new Map() } }, C = class A {}, p = [{ ['__proto__']: 1 }]
const proto = 2
export { proto as __proto__ }
`,
    )
    const { notData, exports } = await evaluate(file)
    expect(notData).toEqual([
      { exportName: 'C', is: 'a class', at: { file, line: 1, column: 75, length: 1 } },
      { exportName: 'bad', is: 'a Map at .m.n', at: { file, line: 1, column: 44, length: 3 } },
      { exportName: 'f', is: 'a function', at: { file, line: 1, column: 14, length: 1 } },
      {
        exportName: 'p',
        is: 'an object with a property named __proto__ at [0]',
        at: { file, line: 1, column: 91, length: 1 },
      },
    ])
    expect(Object.entries(exports)).toEqual([
      ['__proto__', 2],
      ['ok', { a: [1] }],
    ])
  })

  it('reports a refused target where another can, and fails where none can', async () => {
    const text = wave.replace('\n})\n', "\n}, { name: 'wasm only' })\n")
    const both = await evaluate(write('a.model.ts', text))
    expect(both.programs[0]?.artifacts.map(a => a.manifest.target)).toEqual(['wasm'])
    expect(both.programs[0]?.refused.map(r => [r.target, r.failure.message])).toEqual([['webgpu', 'no f64']])
    const one = await evaluate(write('a.model.ts', text), { compile: { targets: ['webgpu'] } })
    expect(one.error).toMatchObject({ code: 'webgpu/unsupported-dtype' })
  })

  it('gives an export the schedules of its own name, and none that an object inherits', async () => {
    const text = wave.replace('export default model', 'export const toString = model')
    const schedulesOf = async (schedules: Record<string, string>) => {
      const showing = countingCompiler
        .replace('variants) =>', 'variants, options) =>')
        .replace(
          'variants.map(v => compile',
          "variants.map(v => { v.onStage?.('given', String(options.schedules)); return v }).map(v => compile",
        )
      const options = { stages: true, compile: { targets: ['wasm'], schedules } } as const
      const { programs, error } = await evaluate(write('a.model.ts', text), options, showing)
      expect(error).toBeUndefined()
      return programs[0]?.stages.find(s => s.stage === 'given')?.text
    }
    expect(await schedulesOf({ toString: 'mine' })).toBe('mine')
    expect(await schedulesOf({ other: 'mine' })).toBe('undefined')
  })

  it('compiles a model with two names once', async () => {
    const { programs, error } = await evaluate(
      write('a.model.ts', wave.replace('export default model', 'export const net = model') + 'export default net\n'),
    )
    expect(error).toBeUndefined()
    expect(programs.map(p => [p.exportName, p.name])).toEqual([
      ['default', 'a'],
      ['net', 'a'],
    ])
    expect(programs[0]?.artifacts[0]?.files).toBe(programs[1]?.artifacts[0]?.files)
  })

  it('hands out the stages of the compiler', async () => {
    const { programs } = await evaluate(write('a.model.ts', wave), { stages: true, compile: { targets: ['wasm'] } })
    const stage = (variant: string) => ({ target: 'wasm', variant, stage: 'graph', text: 'matmul matmul matmul' })
    expect(programs[0]?.stages).toEqual(['simd', 'simd-threads', 'simd-relaxed', 'simd-relaxed-threads'].map(stage))
  })

  it.each(['exact', 'reproducible'] as const)('compiles no fused multiply-adds for %s numerics', async numerics => {
    const { programs } = await evaluate(write('a.model.ts', wave), {
      stages: true,
      compile: { targets: ['wasm'], numerics },
    })
    expect(programs[0]?.stages.map(s => s.variant)).toEqual(['simd', 'simd-threads'])
  })

  it('compiles for shader-f16 what has f16 values', async () => {
    const half = wave.replaceAll("'f32'", "'f16'")
    for (const [text, variants] of [
      [wave, ['plain']],
      [half, ['plain', 'f16']],
    ] as const) {
      const { programs } = await evaluate(write('a.model.ts', text), { stages: true, compile: { targets: ['webgpu'] } })
      expect(programs[0]?.stages.map(s => s.variant)).toEqual(variants)
    }
  })

  it('refuses an artifact above maxBytes, which the file itself may set', async () => {
    const result = await evaluate(write('a.model.ts', wave.replace('\n})\n', '\n}, { maxBytes: 3 })\n')))
    expect(result.error).toMatchObject({ code: 'model/too-large', details: { maxBytes: 3, target: 'wasm' } })
    expect(result.error?.message).toMatch(
      /a has \d+ bytes on wasm \(code\.json: \d+\), more than its budget maxBytes, 3: raise it/,
    )
  })
})

describe('a mistake in the file', () => {
  it.each<readonly [string, readonly [line: number, column: number], string, RegExp]>([
    ['if (s) s = matmul(s, s)', [4, 5], 'model/tensor-as-condition', /s is a tensor \(f32\[4,4\]\)/],
    ['const t = !s', [4, 12], 'model/tensor-as-condition', /cond\(condition/],
    ['const t = s && x', [4, 11], 'model/tensor-as-condition', /s !== undefined/],
    ['const t = 1 + s', [4, 11], 'model/tensor-has-no-value', /add\(x, y\) for x \+ y/],
    ['s = q.nn.rellu(s)', [4, 5], 'model/no-such-function', /q\.nn\.rellu is not a function: did you mean relu\?/],
    ['s = s.matmul(s)', [4, 5], 'model/no-such-function', /a tensor has no methods/],
  ])('%s', async (lines, [line, column], code, says) => {
    const text = `import { model, tensor, matmul } from '@quern/model'
export default model({ x: tensor('f32', [4, 4]) }, ({ x }) => {
  let s = matmul(x, x)
${lines}
  return { y: s }
})
import * as q from '@quern/model'
`
    const { error } = await evaluate(write('a.model.ts', text))
    expect(error).toMatchObject({ code, message: expect.stringMatching(says) })
    expect([error?.line, error?.column]).toEqual([line, column])
    expect(error?.frame).toContain('^')
  })

  it('branches on what is no tensor', async () => {
    const text = wave.replace(
      'const s = matmul(x, x)',
      `const opts: { deep?: boolean; bias?: typeof x } = { deep: true }
  if (opts.bias !== undefined) throw new Error('no bias')
  const s = opts.deep && !opts.bias ? matmul(x, x) : x`,
    )
    const { error, programs } = await evaluate(write('a.model.ts', text))
    expect(error).toBeUndefined()
    expect(programs).toHaveLength(1)
  })

  it('is what was thrown, though exports follow that are never reached', async () => {
    const { error } = await evaluate(write('a.model.ts', wave.replace('\n', "\nthrow new TypeError('boom')\n")))
    expect(error).toMatchObject({ code: 'model/threw', message: 'TypeError: boom', line: 2, column: 7 })
  })

  it('is found where a name is imported that does not exist', async () => {
    const text = wave.replace('tensor, matmul }', 'tensor, matmull as matmul }')
    const { error } = await evaluate(write('a.model.ts', text))
    expect(error).toMatchObject({
      code: 'model/no-such-export',
      message: '@quern/model has no export matmull: did you mean matmul?',
      line: 1,
      column: 25,
    })
  })

  it('is shown at its line, whatever threw', async () => {
    const helper = write(
      'helper.ts',
      `type T = { a: { b: number } }\nexport const dig = (x: unknown): number =>\n  (x as T).a.b\n`,
    )
    const file = write('a.model.ts', `import { dig } from './helper.ts'\n\nconst n = dig({})\nexport default n\n`)
    const { error, dependencies } = await evaluate(file)
    expect(error).toMatchObject({ code: 'model/threw', file: helper, line: 3 })
    expect(error?.frame).toContain('3 |   (x as T).a.b')
    expect(dependencies).toEqual([file, helper])
  })

  it('names operands, their types and where they came from', async () => {
    const file = write(
      'a.model.ts',
      `import { model, tensor, matmul } from '@quern/model'
export default model({ x: tensor('f32', [4, 3]), w: tensor('f32', [5, 2]) }, ({ x, w }) => {
  const hidden = matmul(x, w)
  return { hidden }
})
`,
    )
    const { error } = await evaluate(file)
    expect(error).toMatchObject({ code: 'matmul/inner-dims-agree', file, line: 3, column: 18 })
    expect(error?.frame).toContain('3 |   const hidden = matmul(x, w)\n    |                  ^^^^^^')
    expect(error?.frame).toMatch(/lhs\s+x: f32\[4,3\]/)
  })

  it.each([
    ['syntax', 'const = 1\n', { code: 'model/syntax', line: 1, column: 7 }],
    ['a missing module', "\nimport x from './gone.ts'\nexport { x }", { code: 'model/import-not-found', line: 2 }],
    [
      'a missing package',
      "import x from 'no-such-package'\nexport { x }",
      { code: 'model/import-not-found', line: 1, column: 16 },
    ],
    [
      'a process that ends',
      "import { exit } from 'node:process'\nexit(3)",
      { code: 'model/exited', details: { exitCode: 3 } },
    ],
    [
      'a thrown string',
      "const f = () => {\n  throw 'oh no'\n}\nf()",
      { code: 'model/threw', message: 'it threw "oh no"', line: 2, column: 3 },
    ],
    [
      'a missing module that nothing is taken from',
      "const a = 1\nimport './gone.ts'",
      { code: 'model/import-not-found', line: 2, column: 9, frame: expect.stringMatching(/\| {9}\^{9}$/) },
    ],
    ['a style', "import './x.css'", { code: 'model/import-not-code', line: 1, column: 9 }],
    ['an asset of the app', "import t from './x.txt?raw'\nexport { t }", { code: 'model/import-not-code', line: 1 }],
    [
      'a layer that is imported by its name',
      "import { sofmax } from '@quern/model'\nsofmax()",
      { code: 'model/no-such-export', message: expect.stringContaining('did you mean nn.softmax?'), line: 1 },
    ],
    [
      'weights that are not awaited',
      "import { safetensors } from '@quern/model'\nconst s = safetensors(new URL('./w', import.meta.url))\ns.catch(() => {})\ns.get('x')",
      { code: 'model/no-such-function', message: expect.stringContaining('write `await`'), line: 4 },
    ],
    [
      'an input that there is not',
      "import { model, mul, tensor } from '@quern/model'\nexport default model({ x: tensor('f32', [2]) },\n  ({ image }) => ({ y: mul(image, 2) }))",
      { code: 'model/no-such-input', message: 'there is no input image; the inputs are x', line: 3 },
    ],
    [
      'data of a tensor',
      "import { model, tensor } from '@quern/model'\nexport default model({ x: tensor('f32', [2]) }, ({ x }) => {\n  const a = x.data[0]\n  return { y: x }\n})",
      {
        code: 'model/tensor-has-no-value',
        message: expect.stringContaining('no data while the model is built'),
        line: 3,
      },
    ],
  ])('%s', async (_, text, expected) => {
    const result = await evaluate(write('a.model.ts', text), { timeout: 20_000 })
    expect(result.error).toMatchObject(expected)
    expect(result.programs).toEqual([])
  })

  it('is an endless loop: where, and that it was the file that ran', async () => {
    const turns = write(
      'turns.ts',
      `export const turns = (n: number): number => {\n  while (n > 0) n += 0\n  return n\n}`,
    )
    const file = write('a.model.ts', `import { turns } from './turns.ts'\n\nexport default turns(1)\n`)
    const { error } = await evaluate(file, { timeout: 8000 })
    expect(error).toMatchObject({ code: 'model/timeout', file: turns, line: 2 })
    expect(error?.message).toMatch(/took more than 8000 ms .* the file itself was still running, here: does it loop/)
    expect(error?.frame).toContain('2 |   while (n > 0) n += 0')
  })

  it('is no loop of the file where the compiler takes too long', async () => {
    const { error } = await evaluate(write('a.model.ts', wave.replace('\n})\n', "\n}, { name: 'slow' })\n")), {
      timeout: 8000,
    })
    expect(error).toMatchObject({
      code: 'model/timeout',
      message: expect.stringMatching(/compiling slow for wasm was not done/),
    })
  })

  it('is ours where the compiler breaks, and then the stack is shown', async () => {
    const { error } = await evaluate(write('a.model.ts', wave.replace('\n})\n', "\n}, { name: 'broken' })\n")))
    expect(error).toMatchObject({ code: 'compiler/defect' })
    expect(error?.message).toBe('this is a defect of Quern: TypeError')
    expect(error?.text).toMatch(/at .*compile .*compiler\.mjs/)
  })

  it('lets a module that is missing be watched', async () => {
    const { dependencies } = await evaluate(write('a.model.ts', "import './gone.ts'"))
    expect(dependencies).toContain(join(folder, 'gone.ts'))
  })
})

describe('an evaluation that takes long', () => {
  it('is told of, with the line that runs', async () => {
    const file = write('a.model.ts', `const until = Date.now() + 6500\nwhile (Date.now() < until);\n${wave}`)
    const told: Progress[] = []
    const { error } = await evaluate(file, { onProgress: p => told.push(p) })
    expect(error).toBeUndefined()
    expect(told).toMatchObject([{ file, phase: { doing: 'evaluating' }, at: { file, line: 2 } }])
    expect(told.map(progressInWords)[0]).toMatch(
      /^still evaluating .*a\.model\.ts \([56] s\): .*a\.model\.ts:2 is running$/,
    )
  })

  it('ends when it is cancelled', async () => {
    const file = write('a.model.ts', `import './b.ts'\nfor (;;);`)
    write('b.ts', '')
    const controller = new AbortController()
    const started = performance.now()
    const dependencies: string[] = []
    const { error } = await evaluate(file, {
      signal: controller.signal,
      onDependencies: paths => {
        dependencies.push(...paths)
        setTimeout(() => controller.abort(), 500)
      },
    })
    expect(error?.code).toBe('model/cancelled')
    expect(dependencies).toEqual([file, join(folder, 'b.ts')])
    expect(performance.now() - started).toBeLessThan(20_000)
  })
})

describe('the cache', () => {
  it('keeps a result until the file, a module, a file it reads or the settings change', async () => {
    const cacheDir = join(folder, 'cache')
    write('w.bin', 'one')
    write('name.ts', `export const name = 'w'`)
    const text = `import { name } from './name.ts'\nexport const url = new URL('./w.bin', import.meta.url).href, n = name\n${wave}`
    const file = write('a.model.ts', text)
    const run = async (options: EvaluateOptions = {}) => {
      const result = await evaluate(file, { cacheDir, ...options })
      expect(result.error).toBeUndefined()
      return result
    }
    const first = await run()
    const second = await run()
    expect([first.cached, second.cached]).toEqual([false, true])
    const { ms: _, cached: __, ...same } = first
    expect(second).toMatchObject(same)
    expect(readdirSync(join(fileOf(second.folder ?? '', 0, 1, 'code.json'), '..'))).toEqual(['code.json'])

    expect((await run({ compile: { targets: ['wasm'] } })).cached).toBe(false)
    write('w.bin', 'two')
    expect((await run()).cached).toBe(false)
    expect((await run()).cached).toBe(true)
    write('name.ts', `export const name = 'v'`)
    expect((await run()).exports['n']).toBe('v')
    write('a.model.ts', text.replace('(x, s)', '(s, x)'))
    expect((await run()).cached).toBe(false)
    expect((await run({ renew: true })).cached).toBe(false)
  })

  it('keeps nothing that another compiler made', async () => {
    const cacheDir = join(folder, 'cache')
    const file = write('a.model.ts', wave)
    const first = await evaluate(file, { cacheDir })
    expect((await evaluate(file, { cacheDir })).cached).toBe(true)
    const changed = countingCompiler.replace('[n.op, n.origin]', 'n.op')
    const second = await evaluate(file, { cacheDir }, changed)
    expect([first.cached, second.cached]).toEqual([false, false])
    expect(codeOf(second)).toEqual(['matmul', 'matmul', 'matmul'])
    expect(codeOf(await evaluate(file, { cacheDir }))).toEqual(codeOf(first))
  })
})
