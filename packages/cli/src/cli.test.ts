/** @file The commands as a user types them, on a model file in a folder of its own, down to the numbers. */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { runCommand } from 'citty'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { inspect } from './commands/inspect.ts'
import { quern } from './index.ts'
import { readNpy, writeNpy } from './npy.ts'

let folder: string
let file: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'quern-cli-'))
  file = write(
    'wave.model.ts',
    `import { add, cos, dim, model, sin, tensor } from '@quern/model'
export default model({ x: tensor('f32', [dim('n', { max: 4096 })]) }, ({ x }) => ({ y: add(sin(x), cos(x)) }))
export const shift = model({ a: tensor('i32', [2, 2]), b: tensor('i32', [2, 2]) }, ({ a, b }) => ({ sum: add(a, b) }))
`,
  )
})
afterEach(() => {
  rmSync(folder, { recursive: true })
  process.exitCode = undefined
})
const write = (name: string, content: string | Uint8Array): string => {
  const path = join(folder, name)
  writeFileSync(path, content)
  return path
}

/** What a command prints, and its exit code. */
const type = async (...rawArgs: string[]): Promise<{ out: string; error: string; code: unknown }> => {
  const out: string[] = []
  const error: string[] = []
  const log = vi.spyOn(console, 'log').mockImplementation(line => void out.push(String(line)))
  const fail = vi.spyOn(console, 'error').mockImplementation(line => void error.push(String(line)))
  try {
    await runCommand(quern, { rawArgs })
  } finally {
    log.mockRestore()
    fail.mockRestore()
  }
  // How long a command waits is the machine's affair.
  const said = error.filter(line => !line.startsWith('still '))
  return { out: out.join('\n'), error: said.join('\n'), code: process.exitCode }
}

describe('--dims', () => {
  it('are the sizes for which costs are shown; else the least and the largest', async () => {
    const given = await type('inspect', file, '--stage', 'cost', '--dims', 'n=64')
    expect(given.out).toMatch(/main at n = 64, one thread\nkernel +calls/)
    expect(given.out).not.toContain('n = 4096')
    const both = await type('inspect', file, '--stage', 'cost')
    expect(both.out).toMatch(/main at n = 1, [^]*main at n = 4096, /)
    expect((await type('inspect', file, '--stage', 'cost', '--dims', 'n')).error).toContain('--dims takes name=size')
  })
})

describe('--schedules', () => {
  it('replaces what the rules chose by what they are given', async () => {
    const { out: printed } = await type('inspect', file, '--stage', 'schedule')
    expect(printed).toContain('vectorize(')
    const kernel = /^(\w+):/.exec(printed)?.[1] ?? ''
    const schedules = write('edited.txt', `${kernel}:\n`)
    const plain = await type('inspect', file, '--stage', 'wat', '--schedules', schedules)
    expect(plain.out).toContain(`(func $${kernel}`)
    expect(plain.out).not.toContain('v128.store')
    const again = await type('inspect', file, '--stage', 'wat', '--schedules', write('same.txt', printed))
    expect(again.out).toBe((await type('inspect', file, '--stage', 'wat')).out)
  })
  it('says what does not fit', async () => {
    const unknown = await type(
      'inspect',
      file,
      '--stage',
      'wat',
      '--schedules',
      write('a.txt', 'no_such:\nunroll("i")'),
    )
    expect(unknown.error).toContain('schedule/unknown-kernel')
    expect((await type('compile', file, '--schedules', write('b.txt', ''))).error).toContain('one --target')
    expect((await type('inspect', file, '--schedules', join(folder, 'missing.txt'))).error).toContain('cannot read')
  })
})

describe('quern run', () => {
  it('computes what the model says, from a .npy file to a .npy file', async () => {
    const data = Float32Array.from({ length: 37 }, (_, i) => i / 5 - 3)
    const x = write('x.npy', writeNpy({ dtype: 'f32', shape: [37], data }))
    const { out, error } = await type('run', file, '--input', `x=${x}`, '--out', join(folder, 'out'))
    expect(error).toBe('')
    expect(out).toMatch(/^y: f32\[37\] /)
    const y = readNpy(readFileSync(join(folder, 'out/y.npy')), 'y')
    expect(y.shape).toEqual([37])
    data.forEach((v, i) => expect(y.data[i]).toBeCloseTo(Math.sin(v) + Math.cos(v), 5))
  })

  it('shows the time of each kernel', async () => {
    const { out, error } = await type('run', file, '--input', 'x=[1,2,3]', '--profile')
    expect(error).toBe('')
    expect(out).toMatch(/\nkernel +calls +ms +share +predicted ms +floor ms +of floor +bound by\n/)
    expect(out).toMatch(/\n\w+ +1 +\d+\.\d{4} +100\.0 % +\d+\.\d{4} +\d+\.\d{4} +\d+\.\d % +\w+\nall/)
  })

  it('predicts at the sizes of the inputs', async () => {
    const few = await type('run', file, '--input', 'x=[1,2,3]', '--profile')
    const many = await type('run', file, '--input', `x=[${Array.from({ length: 4096 }, () => 1)}]`, '--profile')
    const predicted = ({ out }: { out: string }) => Number(/\nall(?: +[\d.]+){2} +100\.0 % +([\d.]+)/.exec(out)?.[1])
    expect(predicted(many)).toBeGreaterThan(predicted(few))
  })

  it('takes several inputs as lists, and picks an export', async () => {
    const { out } = await type(
      'run',
      file,
      '--export',
      'shift',
      '-i',
      'a=[[1,2],[3,4]]',
      '--input',
      'b=[[10,20],[30,40]]',
    )
    expect(out).toBe('sum: i32[2,2] 11 22 33 44')
  })

  it.each([
    [['--input', 'z=[1]'], 'the inputs are x'],
    [['--input', 'x=[[1],[2,3]]'], 'different lengths'],
    [['--input', 'x=gone.npy'], 'cannot read gone.npy'],
    [['--export', 'none'], 'it exports default, shift'],
    [['--entry', 'toString'], 'has no entry toString; it has main'],
    [['--input', 'x=[1]', '--threads', 'many'], '--threads takes a whole number above 0, not many'],
    [['--input', 'x=[1]', '--threads', '0'], '--threads takes a whole number above 0, not 0'],
    [['--input', 'x=[1]', '--threads'], '--threads takes a value'],
    [['--input', 'x=[1]', '--thread', '2'], 'there is no option --thread: did you mean --threads?'],
    [['--input', 'x=[1]', '-t', '2'], 'there is no option -t: there are --input, '],
    [['--input', '--profile'], '--input takes a value'],
    [['--input', 'x=[1]', 'other.model.ts'], 'one model file is taken, and other.model.ts was given beside '],
    [['--input', 'x=[1e999]'], 'a number that is too large'],
    [['--input', 'x=[1]', '--out', 'FILE/sub'], 'ENOTDIR'],
    [[], 'x'],
  ])('says what is wrong with %j', async (args, expected) => {
    const { error, code } = await type('run', file, ...args.map(a => a.replace('FILE', file)))
    expect(error).toContain(expected)
    expect(error).not.toMatch(/\n +at /)
    expect(code).toBe(1)
  })
})

describe('a .npy file that cannot be read', () => {
  const good = writeNpy({ dtype: 'f32', shape: [3], data: new Float32Array(3) })
  const edited = (from: string, to: string): Uint8Array =>
    Uint8Array.from([...String.fromCharCode(...good).replace(from, to)].map(c => c.charCodeAt(0)))
  it.each<[string, Uint8Array, string]>([
    ['in Fortran order', edited("'fortran_order': False", "'fortran_order': True "), 'save np.ascontiguousarray(x)'],
    ['that is cut', good.subarray(0, good.length - 4), 'f32[3] takes 12 bytes, and 8 follow'],
    ['of big-endian numbers', edited('<f4', '>f4'), 'its dtype ">f4" is none of <f4'],
    ['that is none', new TextEncoder().encode('hello, world'), 'it does not begin as one'],
    ['that is empty', new Uint8Array(0), 'it does not begin as one'],
    [
      'of a shape that does not fit',
      writeNpy({ dtype: 'f32', shape: [3, 1], data: new Float32Array(3) }),
      'input/rank',
    ],
  ])('%s', async (_, bytes, expected) => {
    const { error, code } = await type('run', file, '--input', `x=${write('x.npy', bytes)}`)
    expect(error).toMatch(/^error\[/)
    expect(error).toContain(expected)
    expect(error.split('\n')).toHaveLength(1)
    expect(code).toBe(1)
  })
})

describe('what no command takes', () => {
  it.each([
    [['compile', '--targets', 'wasm'], 'there is no option --targets: did you mean --target?'],
    [['compile', '--target'], '--target takes a value'],
    [['compile', '--out', 'FILE'], 'ENOTDIR'],
    [['inspect', '--stages', 'graph'], 'there is no option --stages: did you mean --stage?'],
    [['inspect', '--toString'], 'there is no option --toString'],
    [['inspect', 'b.model.ts'], 'one model file is taken'],
  ])('%j', async (args, expected) => {
    const [command = '', ...rest] = args
    const { error, code } = await type(command, file, ...rest.map(a => a.replace('FILE', file)))
    expect(error).toContain(expected)
    expect(error).not.toMatch(/\n +at /)
    expect(code).toBe(1)
  })
  it('a file that is not there', async () => {
    const { error, code } = await type('compile', join(folder, 'gone.model.ts'))
    expect(error).toContain('gone.model.ts')
    expect(error).not.toMatch(/\n +at /)
    expect(code).toBe(1)
  })
})

describe('quern compile', () => {
  it('writes what each target needs', async () => {
    const { out, error } = await type('compile', file, '--target', 'wasm', '--out', join(folder, 'dist'))
    expect(error).toBe('')
    expect(out).toContain('wave, wave.shift in')
    const written = readdirSync(join(folder, 'dist/wave/wasm-simd'))
    expect(written.sort()).toEqual(['manifest.json', 'wave.wasm'])
    const manifest = JSON.parse(readFileSync(join(folder, 'dist/wave/wasm-simd/manifest.json'), 'utf8')) as {
      symbols: unknown
    }
    expect(manifest.symbols).toMatchObject({ n: { max: 4096 } })
    await WebAssembly.compile(new Uint8Array(readFileSync(join(folder, 'dist/wave/wasm-simd/wave.wasm'))))
  })

  it('shows a mistake at its line, and no stack of ours', async () => {
    const bad = write(
      'bad.model.ts',
      `import { model, tensor, matmul } from '@quern/model'\nexport default model({ x: tensor('f32', [2, 3]) }, ({ x }) => ({ y: matmul(x, x) }))\n`,
    )
    const { error, code } = await type('compile', bad)
    expect(error).toContain('error[matmul/inner-dims-agree]')
    expect(error).toMatch(/2 \| export default model.*\n.*\^{6}/)
    expect(error).not.toContain('core-ir/src')
    expect(code).toBe(1)
  })

  it('refuses a target that does not exist', async () => {
    expect((await type('compile', file, '--target', 'cuda')).error).toBe(
      'there is no target cuda; there are wasm and webgpu',
    )
  })
})

describe('quern inspect', () => {
  it('lists the stages, and shows one', async () => {
    const stages = (await type('inspect', file)).out
    for (const stage of ['graph', 'regions', 'schedule', 'loop', 'memory', 'wat', 'sizes'])
      expect(stages).toMatch(new RegExp(`^${stage} `, 'm'))
    expect((await type('inspect', file, '--stage', 'graph')).out).toContain('sin(%x)')
    expect((await type('inspect', file, '--stage', 'wat')).out).toContain('(module')
    expect((await type('inspect', file, '--stage', 'wgsl', '--target', 'webgpu')).out).toContain('@compute')
  })
  it('names the stages there are', async () => {
    const { error, code } = await type('inspect', file, '--stage', 'none')
    expect(error).toMatch(/there is no stage none; there are\ngraph /)
    expect(code).toBe(1)
  })
})

describe('what is typed', () => {
  it.each([
    [['run', '--inptu', 'x=[1]'], /there is no option --inptu: did you mean --input\?/],
    [['compile', '--export', 'foo'], /exports no model foo; it exports default, shift/],
    [['compile', '--out', '/dev/null/x'], /ENOTDIR/],
    [['inspect', '--variant', 'plain'], /wasm has no variant plain; it has simd, simd-threads, simd-relaxed/],
  ])('%j is refused in one line', async ([command = '', ...rest], says) => {
    const { error, code } = await type(command, file, ...rest)
    expect(error).toMatch(says)
    expect(error).not.toContain('\n')
    expect(code).toBe(1)
  })
  it.each([
    ['gone.model.ts', /there is no such file/],
    ['', /this is a folder/],
  ])('a path that is no file: %j', async (name, says) => {
    expect((await type('compile', join(folder, name))).error).toMatch(says)
  })
  it('compiles one export only', async () => {
    await type('compile', file, '--export', 'shift', '--target', 'webgpu', '--out', join(folder, 'out'))
    expect(readdirSync(join(folder, 'out'))).toEqual(['wave.shift'])
  })
  it('has a help without colours where no terminal shows it, and a version', () => {
    const main = fileURLToPath(new URL('../dist/main.js', import.meta.url))
    const typed = (...args: string[]): string =>
      execFileSync(process.execPath, [main, ...args], {
        encoding: 'utf8',
        env: { ...process.env, NO_COLOR: '', CI: '', TEST: '' },
      })
    const help = typed('inspect', '--help')
    expect(help).toContain('--stage')
    expect(help).toContain('simd-relaxed-threads')
    // oxlint-disable-next-line no-control-regex
    expect(help).not.toMatch(/\u001B/)
    expect(typed('--version')).toMatch(/^\d+\.\d+\.\d+\n$/)
  })
  it('lists the stages that there are in its help', async () => {
    const { out } = await type('inspect', file)
    const wgsl = await type('inspect', file, '--target', 'webgpu')
    const names = [...new Set(`${out}\n${wgsl.out}`.split('\n').map(l => l.split(' ')[0] ?? ''))]
    const help = (inspect.args as { stage: { description: string } }).stage.description
    for (const name of names) expect(help).toContain(name)
  })
})
