/** @file How long compiling takes, in CPU time: linear in the length of a graph, and short for a real model. */
import { type ProgramGraph, type Value, GraphBuilder, ix, tensorType } from '@quern/core-ir'
import { compile, compileVariants } from '@quern/compiler'
import { dim, model, nn, programOf, safetensors, tensor } from '@quern/model'
import { expect, it } from 'vitest'

const maps = ['relu', 'tanh', 'abs', 'sigmoid'] as const

/** `count` nodes in a row; of every five one reads its operand twice and, where asked for, one is a product of matrices. */
const chain = (count: number, matmuls: boolean): ProgramGraph => {
  const b = new GraphBuilder('chain', new Map([['n', { name: 'n', min: 1, max: 4096, multipleOf: 1 }]]))
  const values = Array.from({ length: 256 }, (_, i) => ((i * 7) % 19) / 64 - 0.15)
  const weight = b.one('constant', [], { data: { kind: 'inline', values }, dtype: 'f32', shape: [16, 16] })
  let y: Value = b.input('x', tensorType('f32', [ix.variable('n'), 16]))
  for (let i = 0; i < count; i++) {
    if (i % 5 === 2) y = b.one('add', [y, b.one('exp', [y])])
    else if (i % 5 === 4 && matmuls) y = b.one('matmul', [y, weight])
    // No short period, so that no two kernels are one.
    else y = b.one(maps[((i * 7919) % 104_729) % maps.length] ?? 'relu', [y])
  }
  return { name: 'chain', entries: new Map([['main', b.finish({ y })]]), states: [], sources: new Map() }
}

const cpuOf = async (run: () => Promise<unknown>): Promise<number> => {
  const start = process.cpuUsage().user
  await run()
  return (process.cpuUsage().user - start) / 1e3
}

it.each([
  ['element-wise nodes', false],
  ['element-wise nodes and matrix products', true],
])(
  'grows linearly with the number of %s',
  async (_, matmuls) => {
    // What the first compilation of a process costs has nothing to do with the graph.
    await compile(chain(500, matmuls), 'wasm')
    const few = await cpuOf(() => compile(chain(500, matmuls), 'wasm'))
    const many = await cpuOf(() => compile(chain(2000, matmuls), 'wasm'))
    console.log(`500 nodes: ${few.toFixed(0)} ms, 2000 nodes: ${many.toFixed(0)} ms of CPU`)
    expect(many / few).toBeLessThan(6)
  },
  120_000,
)

it('compiles the digits model in little time, all four variants together', async () => {
  const w = await safetensors(new URL('../../playground/src/models/digits.safetensors', import.meta.url))
  const layer = <const S extends readonly [number, ...number[]]>(name: string, shape: S) => ({
    weight: w.get(`${name}.weight`, 'f32', shape),
    bias: w.get(`${name}.bias`, 'f32', [shape[0]]),
  })
  const digits = model({ image: tensor('f32', [dim('n', { max: 4096 }), 1, 28, 28]) }, ({ image }) => {
    const first = nn.maxPool(nn.relu(nn.conv2d(image, layer('conv1', [8, 1, 5, 5]), { padding: 2 })), 2)
    const second = nn.maxPool(nn.relu(nn.conv2d(first, layer('conv2', [16, 8, 5, 5]), { padding: 2 })), 2)
    const hidden = nn.relu(nn.linear(nn.flatten(second), layer('fc1', [64, 784])))
    return { probs: nn.softmax(nn.linear(hidden, layer('fc2', [10, 64]))) }
  })
  const graph = { ...programOf(digits).graph, name: 'digits' }
  const variants = [{}, { threads: true }, { relaxed: true }, { relaxed: true, threads: true }]
  let together: Awaited<ReturnType<typeof compileVariants>> = []
  const cpu = await cpuOf(async () => {
    together = await compileVariants(graph, 'wasm', variants)
  })
  console.log(`digits, four variants: ${cpu.toFixed(0)} ms of CPU`)
  expect(cpu).toBeLessThan(6000)
  // They share one packing of the weights, made once.
  const [plain] = together
  for (const { files } of together) expect(files['digits.weights']).toBe(plain?.files['digits.weights'])
  // Sharing changes nothing: each variant is what it is alone.
  for (const [i, options] of variants.entries()) {
    const alone = await compile(graph, 'wasm', options)
    expect(together[i]?.manifest).toEqual(alone.manifest)
  }
}, 60_000)
