/**
 * @file Large constants that are computed at build: what the artifact gives is what the graph means, nothing of it is left in
 * the kernels, and weights are read in pieces, once.
 */
import { type DeviceKind, bytesOf } from '@quern/artifact'
import { type CompileOptions, type PreparedCache, compile, compileVariants } from '@quern/compiler'
import {
  type ByteSource,
  type HostTensor,
  type ProgramGraph,
  arrayOver,
  bytesOfArray,
  interpretGraph,
  parseGraph,
} from '@quern/core-ir'
import { createModel } from '@quern/runtime'
import { expect, test } from 'vitest'
import { generator } from '../../packages/core-ir/src/ops/testing/support.ts'

/** Random numbers in ±1, whose reads are counted. */
const randomSource = (elements: number): ByteSource & { readonly reads: [offset: number, length: number][] } => {
  const next = generator(7)
  const bytes = bytesOfArray(Float32Array.from({ length: elements }, () => next() * 2 - 1))
  const reads: [number, number][] = []
  return {
    name: 'w',
    size: bytes.length,
    reads,
    read: (offset, length) => {
      reads.push([offset, length])
      return Promise.resolve(bytes.slice(offset, offset + length))
    },
  }
}

const programOf = (text: string, source: ByteSource): ProgramGraph => ({
  name: 'm',
  entries: new Map([['main', parseGraph(text)]]),
  states: [],
  sources: new Map([[source.name, source]]),
})

const stagesOf = async (program: ProgramGraph, target: DeviceKind = 'wasm', options: CompileOptions = {}) => {
  const stages = new Map<string, string>()
  const artifact = await compile(program, target, {
    ...options,
    onStage: (name, text) => stages.set(name, `${stages.get(name) ?? ''}${text}\n`),
  })
  return { artifact, stages }
}

const run = async (program: ProgramGraph, inputs: Record<string, HostTensor>, options: CompileOptions = {}) => {
  const { manifest, files } = await compile(program, 'wasm', options)
  const assets = Object.fromEntries(Object.entries(files).map(([name, bytes]) => [name, () => Promise.resolve(bytes)]))
  const model = createModel({
    name: 'm',
    kind: 'model',
    artifacts: [{ manifest, assets }],
    webgpu: () => import('@quern/runtime/webgpu'),
  })
  const loaded = (await model.load({ device: 'wasm', thread: 'caller' })) as unknown as {
    run(inputs: object): Promise<Record<string, HostTensor>>
    dispose(): Promise<void>
  }
  try {
    return await loaded.run(inputs)
  } finally {
    await loaded.dispose()
  }
}

const expectMeaning = async (
  text: string,
  elements: number,
  xShape: readonly number[],
  options: CompileOptions = {},
) => {
  const source = randomSource(elements)
  const program = programOf(text, source)
  const next = generator(3)
  const x: HostTensor = {
    dtype: 'f32',
    shape: xShape,
    data: Float32Array.from({ length: xShape.reduce((a, b) => a * b, 1) }, () => next() * 2 - 1),
  }
  const graph = program.entries.get('main')
  if (graph === undefined) throw new Error('no entry')
  const wanted = await interpretGraph(graph, { x }, { constant: d => source.read(d.offset, d.length) })
  const found = await run(program, { x }, options)
  for (const [name, tensor] of Object.entries(wanted)) {
    const values: ArrayLike<number | bigint> = tensor.data
    const largest = Math.max(...Array.from(values, v => Math.abs(Number(v))))
    const other = found[name]
    expect(other?.shape).toEqual(tensor.shape)
    tensor.data.forEach((v, i) => {
      if (!(Math.abs(Number(v) - Number(other?.data[i])) <= 1e-5 * largest))
        expect.fail(`${name} at ${i}: ${String(other?.data[i])}, not ${String(v)}`)
    })
  }
  return { program, source }
}

const stored = (name: string, shape: readonly number[], at = 0): string => {
  const bytes = shape.reduce((a, b) => a * b, 4)
  return `%${name} = constant(data=bytes("w", ${at}, ${bytes}, ""), shape=[${shape.join(',')}]) : f32[${shape.join(',')}]`
}

const scaled = `graph main(%x: f32[2,300]) {
  ${stored('w', [300, 320])}
  ${stored('s', [320], 384_000)}
  %b = broadcast(%s, shape=[300,320]) : f32[300,320]
  %ws = mul(%w, %b) : f32[300,320]
  %y = matmul(%x, %ws) : f32[2,320]
  return y = %y
}`

test('a scaled weight: once at build, by rows', async () => {
  const { program } = await expectMeaning(scaled, 96_320, [2, 300], { numerics: 'exact' })
  const { stages } = await stagesOf(program, 'wasm', { numerics: 'exact' })
  expect(stages.get('prepare')).toMatch(
    /^\/\/ prepared:\w+: 384000 bytes, computed of 300 rows, piece by piece\ngraph prepare/,
  )
  expect(stages.get('prepare')).toContain('plan')
  // The model's own kernels know nothing of it.
  expect(stages.get('legal')).not.toContain('s[')
  expect(stages.get('regions')).not.toContain(' mul(')
})

test('a transposed, cut and cast weight; several results of one piece', async () => {
  await expectMeaning(
    `graph main(%x: f32[3,160]) {
      ${stored('w', [400, 320])}
      %t = transpose(%w, perm=[1,0]) : f32[320,400]
      %a = slice(%t, starts=[0,0], sizes=[160,400], steps=[1,1]) : f32[160,400]
      %c = slice(%t, starts=[160,0], sizes=[160,400], steps=[1,1]) : f32[160,400]
      %i = cast(%c, dtype=f16) : f16[160,400]
      %j = cast(%i, dtype=f32) : f32[160,400]
      %y = matmul(%x, %a) : f32[3,400]
      %z = matmul(%x, %j) : f32[3,400]
      return y = %y, z = %z
    }`,
    128_000,
    [3, 160],
  )
})

test('positions are kept where rows are computed in pieces', async () => {
  await expectMeaning(
    `graph main(%x: f32[1,300]) {
      ${stored('w', [300, 320])}
      %i = iota(shape=[300,320], dtype=f32) : f32[300,320]
      %v = add(%w, %i) : f32[300,320]
      %y = matmul(%x, %v) : f32[1,320]
      return y = %y
    }`,
    96_000,
    [1, 300],
  )
})

test('nothing is read twice, nor in larger pieces than 4 MiB, and variants share one file', async () => {
  const rows = 3000,
    columns = 1024
  const text = `graph main(%x: f32[1,${rows}]) {
    ${stored('w', [rows, columns])}
    ${stored('s', [columns], rows * columns * 4)}
    %b = broadcast(%s, shape=[${rows},${columns}]) : f32[${rows},${columns}]
    %ws = mul(%w, %b) : f32[${rows},${columns}]
    %y = matmul(%x, %ws) : f32[1,${columns}]
    return y = %y
  }`
  const source = randomSource((rows + 1) * columns)
  const prepared: PreparedCache = new Map()
  const program = programOf(text, source)
  const artifacts = [
    ...(await compileVariants(program, 'wasm', [{}, { threads: true }], { prepared, numerics: 'exact' })),
    ...(await compileVariants(program, 'webgpu', [{}], { prepared, numerics: 'exact' })),
  ]
  const [plain, threads] = artifacts.map(a => a.files['m.weights'])
  expect(plain).toBe(threads)
  const weight = source.reads.filter(([offset]) => offset < rows * columns * bytesOf.f32)
  expect(weight.reduce((sum, [, length]) => sum + length, 0)).toBe(rows * columns * 4)
  expect(Math.max(...source.reads.map(([, length]) => length))).toBeLessThanOrEqual(4 << 20)
  expect(prepared.size).toBe(1)
})

test('the same constants are one, from whatever entry, and deterministic', async () => {
  const source = randomSource(96_320)
  const { entries, ...rest } = programOf(scaled, source)
  const main = entries.get('main')
  if (main === undefined) throw new Error('no entry')
  const program = {
    ...rest,
    entries: new Map([
      ['prefill', main],
      ['decode', main],
    ]),
  }
  const [one, two] = [await compile(program, 'wasm', {}), await compile(program, 'wasm', {})]
  expect(one.files).toEqual(two.files)
  expect(one.files['m.weights']?.length).toBe(300 * 320 * 4)
})

test('the bytes are those of the model: packing changes no bit', async () => {
  const source = randomSource(70_000)
  const text = `graph main(%x: f32[70000]) {
    ${stored('w', [70_000])}
    %n = neg(%w) : f32[70000]
    %y = mul(%x, %n) : f32[70000]
    return y = %y
  }`
  const { files } = await compile(programOf(text, source), 'wasm', {})
  const weights = files['m.weights'] ?? new Uint8Array()
  const values = arrayOver('f32', await source.read(0, 280_000)) as Float32Array
  expect(arrayOver('f32', weights.subarray(0, 280_000))).toEqual(values.map(v => -v))
})
