/**
 * @file Batch normalisation behind convolutions, as an author writes it: it becomes part of the weights at build, small ones
 * folded and large ones prepared, and the artifact gives what the reference gives.
 */
import { compile } from '@quern/compiler'
import { type HostTensor, interpretGraph, printNumber } from '@quern/core-ir'
import { jit } from '@quern/jit'
import { add, constant, dim, model, nn, programOf, tensor } from '@quern/model'
import { expect, test } from 'vitest'
import { generator } from '../../packages/core-ir/src/ops/testing/support.ts'

const numbers = (seed: number, count: number, low: number, high: number): Float32Array => {
  const next = generator(seed)
  return Float32Array.from({ length: count }, () => low + next() * (high - low))
}
const weights = (seed: number, out: number, channels: number) => ({
  weight: constant(numbers(seed, out * channels * 9, -0.1, 0.1), 'f32', [out, channels, 3, 3]),
})
const statistics = (seed: number, channels: number) => ({
  mean: constant(numbers(seed, channels, -1, 1), 'f32', [channels]),
  variance: constant(numbers(seed + 1, channels, 0.5, 2), 'f32', [channels]),
  weight: constant(numbers(seed + 2, channels, 0.5, 2), 'f32', [channels]),
  bias: constant(numbers(seed + 3, channels, -1, 1), 'f32', [channels]),
})

/** conv-bn-relu, conv-bn, the input added, relu: the block that ResNets repeat. The second convolution has 82,944 weights. */
const block = (channels: number) =>
  model({ x: tensor('f32', [dim('n'), channels, 5, 6]) }, ({ x }) => {
    const same = { padding: 1 }
    const inner = nn.relu(nn.batchNorm(nn.conv2d(x, weights(1, channels, channels), same), statistics(2, channels)))
    const outer = nn.batchNorm(nn.conv2d(inner, weights(11, channels, channels), same), statistics(12, channels))
    return { y: nn.relu(add(outer, x)) }
  })

const stagesOf = async (channels: number, numerics?: 'exact' | 'reassociates') => {
  const stages: [name: string, text: string][] = []
  await compile(programOf(block(channels)).graph, 'wasm', {
    ...(numerics && { numerics }),
    onStage: (name, text) => stages.push([name, text]),
  })
  return (wanted: string): string =>
    stages
      .flatMap(([name, text]) => (name === wanted ? [text] : []))
      .at(-1)
      ?.replace(/[ \t]*\/\/ [^\n]*:\d+:\d+[^\n]*/g, '') ?? ''
}

test('a small block: its weights are folded', async () => {
  const stage = await stagesOf(4)
  expect(stage('dead-code')).toMatchInlineSnapshot(`
    "graph main<n: 1..>(%x: f32[n,4,5,6]) {
      %0 = constant(data=bytes("folded:f4a04093df8223698eea917aa0eadb6b", 0, 576, "f4a04093df8223698eea917aa0eadb6b"), shape=[4,4,3,3]) : f32[4,4,3,3]
      %1 = conv(%x, %0, strides=[1,1], pads=[1,1,1,1], dilations=[1,1]) : f32[n,4,5,6]
      %2 = constant(data=[-0.32311901450157166,1.0138319730758667,-0.2319820523262024,0.18594828248023987], shape=[4,1,1]) : f32[4,1,1]
      %3 = broadcast(%2, shape=[n,4,5,6]) : f32[n,4,5,6]
      %4 = add(%1, %3) : f32[n,4,5,6]
      %5 = relu(%4) : f32[n,4,5,6]
      %6 = constant(data=bytes("folded:6ae6f56ed0702e6f184da31b0638d4cb", 0, 576, "6ae6f56ed0702e6f184da31b0638d4cb"), shape=[4,4,3,3]) : f32[4,4,3,3]
      %7 = conv(%5, %6, strides=[1,1], pads=[1,1,1,1], dilations=[1,1]) : f32[n,4,5,6]
      %8 = constant(data=[-0.09687963128089905,0.755785346031189,-0.45517227053642273,-1.3104544878005981], shape=[4,1,1]) : f32[4,1,1]
      %9 = broadcast(%8, shape=[n,4,5,6]) : f32[n,4,5,6]
      %10 = add(%7, %9) : f32[n,4,5,6]
      %11 = add(%10, %x) : f32[n,4,5,6]
      %12 = relu(%11) : f32[n,4,5,6]
      return y = %12
    }"
  `)
  expect(stage('prepare')).toBe('')
})

test('a large one: its weights are prepared, by rows', async () => {
  const stage = await stagesOf(96)
  const graph = stage('dead-code')
  expect(graph).not.toMatch(/ (mul|sub|div|sqrt)\(/)
  expect(graph.match(/ = add\(/g)).toHaveLength(3)
  expect(stage('prepare')).toMatch(/331776 bytes, computed of 96 rows/)
})

test.each(['exact', 'reassociates'] as const)('under %s it stays what it was', async numerics => {
  expect((await stagesOf(4, numerics))('dead-code').match(/ = mul\(/g)).toHaveLength(2)
})

test.each([4, 96])('%i channels: the artifact gives what the graph means', async channels => {
  const { graph } = programOf(block(channels))
  const main = [...graph.entries.values()][0]
  if (main === undefined) throw new Error('no entry')
  const x: HostTensor = { dtype: 'f32', shape: [2, channels, 5, 6], data: numbers(5, 2 * channels * 30, -1, 1) }
  const read = async (d: { source: string; offset: number; length: number }): Promise<Uint8Array> =>
    (await graph.sources.get(d.source)?.read(d.offset, d.length)) ?? new Uint8Array()
  const wanted = (await interpretGraph(main, { x }, { constant: read }))['y']?.data ?? []
  const net = await jit(block(channels), { device: 'wasm', thread: 'caller' })
  try {
    const { y } = await net.run({ x: { data: x.data as Float32Array, shape: x.shape } })
    expect(y.data.length).toBe(wanted.length)
    y.data.forEach((v, i) => {
      const want = Number(wanted[i])
      if (Math.abs(v - want) > 1e-5 * (1 + Math.abs(want)))
        expect.fail(`${i}: ${printNumber(v)}, not ${printNumber(want)}`)
    })
  } finally {
    await net.dispose()
  }
})
