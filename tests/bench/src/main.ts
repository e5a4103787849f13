/** @file The bench page: runs every workload and leaves the results on `window.results`. */
import * as jax from '@jax-js/jax'
import peakBytes from './handwritten/peak.wat'
import sincosBytes from './handwritten/sincos.wat'
import { type Measured, measure, medianOf } from './measure.ts'
import matmul512 from './models/matmul512.model.ts'
import sincos from './models/sincos.model.ts'
import { onnxModel } from './onnx-file.ts'
import { openSession, runSession } from './peers/onnxruntime.ts'

export interface Results {
  readonly peakGflops: number
  readonly sincos: readonly Measured[]
  readonly sincosKernelMs: { readonly quern: number; readonly handwritten: number }
  readonly matmul512: readonly Measured[]
}
declare global {
  interface Window {
    results?: Results
    failure?: string
  }
}

type Run = (...args: number[]) => number
const instantiate = async (bytes: Uint8Array<ArrayBuffer>, imports: WebAssembly.Imports = {}): Promise<Run> => {
  const { instance } = await WebAssembly.instantiate(bytes, imports)
  return instance.exports['run'] as Run
}

/** GFLOP/s of multiply and add on registers. */
const measurePeak = async (): Promise<number> => {
  const run = await instantiate(peakBytes)
  const iterations = 1_000_000
  const times: number[] = []
  for (let i = 0; i < 30; i++) {
    const start = performance.now()
    run(iterations)
    times.push(performance.now() - start)
  }
  return (iterations * 12 * 4 * 2) / (medianOf(times.slice(5)) * 1e6)
}

/** A deterministic sequence in [-scale, scale). */
const numbers = (n: number, scale: number): Float32Array<ArrayBuffer> => {
  let state = 12_345
  return Float32Array.from({ length: n }, () => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0
    return (state / 2 ** 31 - 1) * scale
  })
}

const benchSincos = async (): Promise<Pick<Results, 'sincos' | 'sincosKernelMs'>> => {
  const n = 4 * 1024 * 1024
  const x = numbers(n, 100),
    into = new Float32Array(n)
  const net = await sincos.load({ device: 'wasm', thread: 'caller', threads: 1 })
  const session = await openSession(
    onnxModel(
      { x: ['n'] },
      [
        { op: 'Sin', inputs: ['x'], output: 's' },
        { op: 'Cos', inputs: ['x'], output: 'c' },
        { op: 'Add', inputs: ['s', 'c'], output: 'y' },
      ],
      ['y', ['n']],
    ),
  )
  const fused = jax.jit((v: jax.Array) => jax.numpy.add(jax.numpy.sin(v.ref), jax.numpy.cos(v)))
  const measured = await measure(
    [
      { name: 'Quern', run: async () => (await net.run({ x }, { into: { y: into } })).y.data },
      { name: 'onnxruntime-web', run: () => runSession(session, { x: { data: x, dims: [n] } }, 'y') },
      { name: 'jax-js', run: async () => (await fused(jax.numpy.array(x)).data()) as Float32Array },
    ],
    i => Math.sin(x[i] ?? 0) + Math.cos(x[i] ?? 0),
    20,
  )

  const memory = new WebAssembly.Memory({ initial: 600 })
  const run = await instantiate(sincosBytes, { env: { memory } })
  new Float32Array(memory.buffer, 0, n).set(x)
  const hand: number[] = [],
    ours: number[] = []
  for (let i = 0; i < 25; i++) {
    const start = performance.now()
    run(0, n * 4, n)
    hand.push(performance.now() - start)
    ours.push((await net.profile({ x })).reduce((s, k) => s + k.ms, 0))
  }
  await net.dispose()
  return { sincos: measured, sincosKernelMs: { quern: medianOf(ours.slice(5)), handwritten: medianOf(hand.slice(5)) } }
}

const benchMatmul = async (): Promise<readonly Measured[]> => {
  const size = 512
  const a = numbers(size * size, 1),
    b = numbers(size * size, 1).reverse(),
    into = new Float32Array(size * size)
  const net = await matmul512.load({ device: 'wasm', thread: 'caller', threads: 1 })
  const session = await openSession(
    onnxModel(
      { a: [size, size], b: [size, size] },
      [{ op: 'MatMul', inputs: ['a', 'b'], output: 'y' }],
      ['y', [size, size]],
    ),
  )
  const product = jax.jit((p: jax.Array, q: jax.Array) => jax.numpy.matmul(p, q))
  const exact = (i: number): number => {
    const row = Math.floor(i / size),
      column = i % size
    let sum = 0
    for (let k = 0; k < size; k++) sum += (a[row * size + k] ?? 0) * (b[k * size + column] ?? 0)
    return sum
  }
  const dims = [size, size]
  const measured = await measure(
    [
      { name: 'Quern', run: async () => (await net.run({ a, b }, { into: { y: into } })).y.data },
      { name: 'onnxruntime-web', run: () => runSession(session, { a: { data: a, dims }, b: { data: b, dims } }, 'y') },
      {
        name: 'jax-js',
        run: async () =>
          (await product(jax.numpy.array(a).reshape(dims), jax.numpy.array(b).reshape(dims)).data()) as Float32Array,
      },
    ],
    exact,
    30,
  )
  await net.dispose()
  return measured
}

const main = async (): Promise<void> => {
  await jax.init('wasm')
  jax.defaultDevice('wasm')
  const before = await measurePeak()
  const matmul = await benchMatmul()
  const after = await measurePeak()
  window.results = { peakGflops: Math.max(before, after), ...(await benchSincos()), matmul512: matmul }
}
main().catch((error: unknown) => {
  window.failure = error instanceof Error ? `${error.message}\n${error.stack ?? ''}` : String(error)
})
