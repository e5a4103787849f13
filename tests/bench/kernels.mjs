/**
 * @file `npm run kernels -- [words…] [--rounds=24]`: kernels of ours beside hand-written ones in one Chromium page, in seconds. Words
 * choose the contests whose names hold them all. Times are of the kernels alone: nothing is copied in or out.
 */
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { compile } from '@quern/compiler'
import { add, broadcastTo, constant, dim, matmul, model, nn, programOf, tensor, transpose } from '@quern/model'
import { assemble, runContests } from './contest.mjs'
import { gemmWat } from './src/handwritten/gemm.mjs'

const evaluate = (e, symbols) => {
  if (typeof e === 'number') return e
  if (typeof e === 'string') return symbols[e]
  const [op, ...rest] = e
  return rest
    .map(x => evaluate(x, symbols))
    .reduce((a, b) => {
      switch (op) {
        case '+':
          return a + b
        case '*':
          return a * b
        case '/':
          return Math.floor(a / b)
        case '%':
          return ((a % b) + b) % b
        case 'min':
          return Math.min(a, b)
        default:
          return Math.max(a, b)
      }
    })
}

/** A contestant that a model compiles to. */
const ours = async (name, described, { symbols = {}, ...options } = {}) => {
  const { manifest, files } = await compile(programOf(described).graph, 'wasm', options)
  const { inputs, outputs, wasm } = manifest.entries.main
  const place = port => ({
    at: evaluate(wasm.buffers[port.buffer], symbols),
    length: port.shape.reduce((n, d) => n * evaluate(d, symbols), 1),
  })
  const weights = Object.entries(files).find(([file]) => file !== manifest.code.file)?.[1]
  return {
    name,
    code: files[manifest.code.file],
    bytes: manifest.wasm.arenaAt + evaluate(wasm.arenaBytes, symbols) + 65_536,
    calls: [[wasm.export, 0]],
    data: [
      ...Object.entries(manifest.wasm.symbols).map(([symbol, at]) => ({ at, words: [symbols[symbol]] })),
      ...inputs.map((port, i) => ({ ...place(port), seed: i + 1 })),
      ...(weights === undefined
        ? []
        : [
            {
              at: manifest.wasm.constantsAt,
              words: [...new Int32Array(weights.slice().buffer, 0, weights.length >> 2)],
            },
          ]),
    ],
    out: place(outputs[0]),
  }
}

const handwritten = async (m, n, k, tile) => {
  const a = 64,
    b = a + m * k * 4,
    y = b + k * n * 4,
    scratch = y + m * n * 4 + 64
  return {
    name: `by hand, ${tile.mr} × ${tile.nr}${tile.packed ? ', packed' : ''}${tile.madd ? ', madd' : ''}`,
    code: await assemble('gemm.wat', gemmWat({ m, n, k, ...tile })),
    bytes: scratch + k * n * 4 + 65_536,
    calls: [['run', a, b, y, scratch]],
    data: [
      { at: a, length: m * k, seed: 1 },
      { at: b, length: k * n, seed: 2 },
    ],
    out: { at: y, length: m * n },
  }
}

const iterations = 200_000
const peak = async () => ({
  name: 'registers only',
  code: await assemble(
    'peak.wat',
    readFileSync(fileURLToPath(new URL('src/handwritten/peak.wat', import.meta.url)), 'utf8').replace(
      '(module',
      '(module (import "env" "memory" (memory 1))',
    ),
  ),
  bytes: 65_536,
  calls: [['run', iterations]],
  data: [],
  out: { at: 0, length: 4 },
  flops: iterations * 96,
})

const t = (...shape) => tensor('f32', shape)
const numbers = length => Float32Array.from({ length }, (_, i) => ((i * 7919) % 1013) / 1013 - 0.5)
const weightsOf = (...shape) => constant(numbers(shape.reduce((x, y) => x * y, 1)), 'f32', shape)
const product = (m, n, k) => model({ a: t(m, k), b: t(k, n) }, ({ a, b }) => ({ y: matmul(a, b) }))
const linear = (m, n, k) =>
  model({ a: t(m, k) }, ({ a }) => ({ y: nn.linear(a, { weight: weightsOf(n, k), bias: weightsOf(n) }) }))

/** @type {{ name: string, flops: number, bytes?: number, contestants: () => Promise<object[]> }[]} */
const contests = []
const contest = (name, flops, contestants, bytes) => contests.push({ name, flops, contestants, bytes })
const relaxed = { relaxed: true }
const groupOf = (n, most) => [128, 64, 48, 32, 16].find(c => c <= most && n % c === 0) ?? n

for (const [m, n, k] of [
  [256, 256, 256],
  [512, 512, 512],
  [1024, 1024, 1024],
  [128, 1536, 384],
]) {
  const flops = 2 * m * n * k,
    blocks = { nc: groupOf(n, 64), mc: 32 }
  contest(`matmul ${m}x${n}x${k}`, flops, async () => [
    await handwritten(m, n, k, { mr: 2, nr: 16, ...blocks }),
    await handwritten(m, n, k, { mr: 4, nr: 8, ...blocks }),
    await ours('quern', product(m, n, k)),
  ])
  contest(`matmul ${m}x${n}x${k} madd`, flops, async () => [
    await handwritten(m, n, k, { mr: 4, nr: 8, ...blocks, madd: true }),
    await handwritten(m, n, k, { mr: 2, nr: 16, ...blocks, madd: true }),
    await ours('quern, madd', product(m, n, k), relaxed),
  ])
  contest(`linear ${m}x${n}x${k}`, flops, async () => [
    await handwritten(m, n, k, { mr: 2, nr: 16, ...blocks, packed: true }),
    await handwritten(m, n, k, { mr: 4, nr: 8, ...blocks, packed: true }),
    await ours('quern', linear(m, n, k)),
    await ours('quern, any m', linear(dim('m'), n, k), { symbols: { m } }),
    await ours('quern, madd', linear(m, n, k), relaxed),
    await ours('quern, any m, madd', linear(dim('m'), n, k), { symbols: { m }, ...relaxed }),
  ])
}
for (const m of [1, 3, 64, 1000]) {
  const n = 512,
    k = 512
  contest(`any m=${m}`, 2 * m * n * k, async () => [
    await ours(`linear, ${m}`, linear(m, n, k)),
    await ours('linear, any m', linear(dim('m'), n, k), { symbols: { m } }),
    await ours(`matmul, ${m}`, product(m, n, k)),
    await ours('matmul, any m', product(dim('m'), n, k), { symbols: { m } }),
  ])
}
contest(
  'vector 1x4096x1024',
  2 * 4096 * 1024,
  async () => [
    await ours('matmul', product(1, 4096, 1024)),
    await ours('linear', linear(1, 4096, 1024)),
    await ours('linear, any m', linear(dim('m'), 4096, 1024), { symbols: { m: 1 } }),
    await ours(
      'matmul, rhs transposed',
      model({ a: t(1, 1024), b: t(4096, 1024) }, ({ a, b }) => ({ y: matmul(a, transpose(b)) })),
    ),
  ],
  4096 * 1024 * 4,
)
contest('odd 127x33x65', 2 * 127 * 65 * 33, async () => [
  await handwritten(128, 32, 64, { mr: 4, nr: 8 }),
  await ours('matmul', product(127, 33, 65)),
  await ours('linear', linear(127, 33, 65)),
])
contest('batched 12x128x128x64', 2 * 12 * 128 * 128 * 64, async () => [
  await handwritten(12 * 128, 128, 64, { mr: 4, nr: 8, nc: 64, mc: 32 }),
  await ours(
    'matmul',
    model({ a: t(12, 128, 64), b: t(12, 64, 128) }, ({ a, b }) => ({ y: matmul(a, b) })),
  ),
  await ours(
    'rhs transposed',
    model({ a: t(12, 128, 64), b: t(12, 128, 64) }, ({ a, b }) => ({ y: matmul(a, transpose(b, [0, 2, 1])) })),
  ),
  await ours(
    'lhs transposed',
    model({ a: t(12, 64, 128), b: t(12, 64, 128) }, ({ a, b }) => ({ y: matmul(transpose(a, [0, 2, 1]), b) })),
  ),
])
contest('epilogue 128x1536x384', 2 * 128 * 1536 * 384, async () => [
  await ours('linear', linear(128, 1536, 384)),
  await ours(
    'linear, gelu',
    model({ a: t(128, 384) }, ({ a }) => ({
      y: nn.gelu(nn.linear(a, { weight: weightsOf(1536, 384), bias: weightsOf(1536) })),
    })),
  ),
  await ours(
    'linear, residual',
    model({ a: t(128, 384), r: t(128, 1536) }, ({ a, r }) => ({
      y: add(nn.linear(a, { weight: weightsOf(1536, 384), bias: weightsOf(1536) }), broadcastTo(r, [128, 1536])),
    })),
  ),
])

const [words, switches] = [0, 1].map(s => process.argv.slice(2).filter(x => x.startsWith('--') === (s === 1)))
const rounds = Number(switches.find(x => x.startsWith('--rounds='))?.slice(9) ?? 24)
const chosen = contests.filter(c => words.every(w => c.name.includes(w)))
if (chosen.length === 0)
  throw new Error(`no contest is called ${words.join(' ')}: ${contests.map(c => c.name).join(', ')}`)

const ready = []
for (const c of chosen) ready.push({ name: c.name, contestants: [await peak(), ...(await c.contestants())] })
const round = (x, digits) => x.toFixed(digits).padStart(8)
await runContests(ready, {
  rounds,
  log: (name, [top, ...result]) => {
    const { flops, bytes } = chosen.find(c => c.name === name)
    const speed = x => flops / x.median / 1e6
    const registers = (iterations * 96) / top.median / 1e6
    const hand = Math.min(...result.filter(r => r.name.startsWith('by hand')).map(r => r.median))
    console.log(`\n${name}   (registers only: ${registers.toFixed(1)} GFLOP/s)`)
    for (const r of result)
      console.log(
        `  ${r.name.padEnd(28)}${round(r.median, 3)} ms ${round(speed(r), 1)} GFLOP/s ${round((100 * speed(r)) / registers, 0)} % of registers` +
          (Number.isFinite(hand) ? `${round((100 * hand) / r.median, 0)} % of hand-written` : '') +
          (bytes === undefined ? '' : `${round(bytes / r.median / 1e6, 1)} GB/s`) +
          `   best ${r.best.toFixed(3)}`,
      )
  },
})
