/**
 * @file What a loaded model promises, whatever it runs on: the caller's thread, a worker, a team of workers, WebGPU. The same
 * checks for each, on the built packages.
 */
import type { Worker } from 'node:worker_threads'
import { isQuernError } from '@quern/artifact'
import { type JitOptions, jit } from '@quern/jit'
import {
  add,
  append,
  argmax,
  concat,
  constant,
  cos,
  dim,
  entry,
  lessEqual,
  loop,
  matmul,
  model,
  mul,
  nn,
  program,
  sin,
  state,
  tensor,
  transpose,
  where,
} from '@quern/model'
import { beforeAll, describe, expect, it } from 'vitest'
import { softwareGpu } from '../../packages/codegen-wgsl/test-support/dawn.ts'

const software = await softwareGpu()
beforeAll(() => {
  if (software !== undefined)
    Object.defineProperty(globalThis, 'navigator', { value: { gpu: software.gpu }, configurable: true })
})

const wave = model({ x: tensor('f32', [dim('n', { max: 1 << 16 })]) }, ({ x }) => ({ y: add(sin(x), cos(x)) }))
const waveOf = (x: Float32Array): number[] => Array.from(x, v => Math.sin(v) + Math.cos(v))
const product = model({ a: tensor('f32', [64, 64]), b: tensor('f32', [64, 64]) }, ({ a, b }) => ({
  y: nn.softmax(matmul(a, b)),
}))
const rounds = model({ a: tensor('f32', [64, 64]), b: tensor('f32', [64, 64]) }, ({ a, b }) => ({
  y: nn.softmax(loop({ x: a, w: b }, 5, ({ x, w }) => ({ x: mul(matmul(x, w), 0.015625), w })).x),
}))
const total = state('total', tensor('f32', [4]), [1, 2, 3, 4])
const accumulate = model({ x: tensor('f32', [4]) }, ({ x }) => {
  const next = add(total.value, x)
  return { sum: mul(next, 1), total: total.next(next) }
})

/** A KV cache of 8 rows: `prefill` fills it from the start, `decode` adds one row and attends to all so far. */
const cache = state('cache', tensor('f32', [8, 4]))
const positions = constant([0, 1, 2, 3, 4, 5, 6, 7], 'i32', [1, 8])
const attend = program({
  prefill: entry({ rows: tensor('f32', [dim('n', { max: 8 }), 4]) }, ({ rows }) => ({
    kept: cache.next(append(cache.value, rows, constant(0, 'i32', []))),
    last: argmax(rows),
  })),
  decode: entry({ row: tensor('f32', [1, 4]), at: tensor('i32', []) }, ({ row, at }) => {
    const all = append(cache.value, row, at)
    const scores = where(lessEqual(positions, at), matmul(row, transpose(all, [1, 0])), -1e9)
    return { y: matmul(nn.softmax(scores), all), kept: cache.next(all) }
  }),
})
const attended = (rows: readonly (readonly number[])[], query: readonly number[]): number[] => {
  const scores = rows.map(r => Math.exp(r.reduce((s, v, i) => s + v * (query[i] ?? 0), 0)))
  const sum = scores.reduce((a, b) => a + b, 0)
  return query.map((_, c) => rows.reduce((s, r, i) => s + ((scores[i] ?? 0) / sum) * (r[c] ?? 0), 0))
}

const codeOf = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => 'no error',
    e => (isQuernError(e) ? e.code : e),
  )
const close = (found: ArrayLike<number>, wanted: ArrayLike<number>): void => {
  expect(found.length).toBe(wanted.length)
  for (let i = 0; i < wanted.length; i++) expect(Math.abs((found[i] ?? NaN) - (wanted[i] ?? NaN))).toBeLessThan(2e-5)
}
/** As Vue wraps what is put into `reactive`: plain objects and arrays become proxies, at any depth. */
const reactive = <T extends object>(target: T): T =>
  new Proxy(target, {
    get: (o, key, receiver) => {
      const value: unknown = Reflect.get(o, key, receiver)
      const kind = Object.prototype.toString.call(value)
      return kind === '[object Object]' || kind === '[object Array]' ? reactive(value as object) : value
    },
  })

const places: readonly { readonly name: string; readonly options: JitOptions; readonly skip?: boolean }[] = [
  { name: 'wasm on the caller', options: { device: 'wasm', thread: 'caller' } },
  { name: 'wasm in a worker', options: { device: 'wasm', thread: 'worker', threads: 1 } },
  { name: 'wasm in a team of three', options: { device: 'wasm', thread: 'worker', threads: 3 } },
  { name: 'webgpu', options: { device: 'webgpu' }, skip: software === undefined },
]

describe.each(places.filter(p => p.skip !== true))('a loaded model: $name', ({ options }) => {
  it('runs where it was told to', async () => {
    const net = await jit(wave, options)
    const x = Float32Array.of(0, 1, 2)
    close((await net.run({ x })).y.data, waveOf(x))
    expect(net.report()).toMatchObject({
      device: options.device,
      thread: options.thread ?? 'caller',
      threads: options.threads ?? 1,
      dispatches: options.device === 'webgpu' ? 1 : 0,
    })
    await net.dispose()
  })

  it('queues concurrent runs in order, each with fresh outputs', async () => {
    const net = await jit(accumulate, options)
    const runs = await Promise.all(Array.from({ length: 20 }, (_, i) => net.run({ x: new Float32Array(4).fill(i) })))
    let sum = 0
    runs.forEach(({ sum: found }, i) => {
      sum += i
      close(found.data, [1 + sum, 2 + sum, 3 + sum, 4 + sum])
    })
    await net.dispose()
  })

  it('fills the arrays of `into`, leaves the inputs alone, and takes views', async () => {
    const net = await jit(wave, options)
    const whole = Float32Array.from({ length: 10 }, (_, i) => i)
    const into = new Float32Array(12).subarray(2, 7)
    const { y } = await net.run({ x: whole.subarray(3, 8) }, { into: { y: into } })
    expect(y.data).toBe(into)
    close(into, waveOf(Float32Array.of(3, 4, 5, 6, 7)))
    expect([...whole]).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
    expect(await codeOf(net.run({ x: whole }, { into: { y: into } }))).toBe('output/size')
    const bits = new Int32Array(10) as unknown as Float32Array
    expect(await codeOf(net.run({ x: whole }, { into: { y: bits } }))).toBe('output/dtype')
    expect(await codeOf(net.run({ x: whole }, { into: { z: into } as object }))).toBe('output/unknown-name')
    expect(await codeOf(net.run({ x: whole }, { into: { y: into }, outputs: 'device' }))).toBe('output/into-on-device')
    close((await net.run({ x: whole })).y.data, waveOf(whole))
    await net.dispose()
  })

  it('keeps states, reads, writes and resets them, and gives a fork its own', async () => {
    const net = await jit(accumulate, options)
    const ones = new Float32Array(4).fill(1)
    await net.run({ x: ones })
    const fork = await net.fork()
    close((await fork.run({ x: ones })).sum.data, [2, 3, 4, 5])
    close((await net.run({ x: ones })).sum.data, [3, 4, 5, 6])
    close((await fork.state.read('total')).data as Float32Array, [2, 3, 4, 5])
    await fork.state.write('total', Float32Array.of(0, 0, 0, 9))
    close((await fork.run({ x: ones })).sum.data, [1, 1, 1, 10])
    expect(await net.state.read('total')).toMatchObject({ dtype: 'f32', shape: [4], data: Float32Array.of(3, 4, 5, 6) })
    await net.state.reset()
    close((await net.state.read('total')).data as Float32Array, [1, 2, 3, 4])
    close((await fork.state.read('total')).data as Float32Array, [1, 1, 1, 10])
    await fork.state.reset('total')
    close((await fork.run({ x: ones })).sum.data, [2, 3, 4, 5])
    expect(await codeOf(net.state.read('none'))).toBe('state/unknown-name')
    expect(await codeOf(net.state.reset('none'))).toBe('state/unknown-name')
    expect(await codeOf(net.state.write('total', new Float32Array(3)))).toBe('state/size')
    // A fork outlives the model that it came from.
    await net.dispose()
    close((await fork.run({ x: ones })).sum.data, [3, 4, 5, 6])
    await fork.dispose()
    expect(await codeOf(fork.run({ x: ones }))).toBe('model/disposed')
  })

  it('runs a program of two entries over one cache', async () => {
    const net = await jit(attend, options)
    const rows = [
      [1, 0, 0.5, 0],
      [0, 1, 0, -0.5],
      [0.25, 0.25, 1, 0],
    ]
    await net.prefill.run({ rows: { data: Float32Array.from(rows.flat()), shape: [3, 4] } })
    const later = [
      [0, 0, 1, 1],
      [1, 1, -1, 0],
    ]
    const other = await net.fork()
    for (const [i, row] of later.entries()) {
      const { y } = await net.decode.run({ row: Float32Array.from(row), at: Int32Array.of(3 + i) })
      close(y.data, attended([...rows, ...later.slice(0, i + 1)], row))
    }
    const first = [0.5, 0.5, 0.5, 0.5]
    const { y } = await other.decode.run({ row: Float32Array.from(first), at: Int32Array.of(0) })
    close(y.data, attended([first], first))
    expect(await codeOf(net.prefill.run({ rows: { data: new Float32Array(36), shape: [9, 4] } }))).toBe(
      'dim/out-of-bounds',
    )
    await Promise.all([net.dispose(), other.dispose()])
  })

  it('hands tensors that stay on the device from one model to another', async () => {
    const [one, two] = await Promise.all([jit(wave, options), jit(wave, options)])
    const x = Float32Array.from({ length: 100 }, (_, i) => i / 10)
    const { y } = await one.run({ x }, { outputs: 'device' })
    expect(y).toMatchObject({ dtype: 'f32', shape: [100], device: options.device })
    await one.run({ x: new Float32Array(100) })
    close((await two.run({ x: y })).y.data, waveOf(Float32Array.from(waveOf(x))))
    await one.dispose()
    close((await y.read()).data, waveOf(x))
    y.dispose()
    expect(await codeOf(y.read())).toBe('tensor/disposed')
    expect(await codeOf(two.run({ x: y }))).toBe('tensor/disposed')
    close((await two.run({ x })).y.data, waveOf(x))
    await two.dispose()
  })

  it('refuses what is wrong by a code, and runs the next input', async () => {
    const net = await jit(wave, options)
    const x = Float32Array.of(1, 2)
    const wrong: Record<string, unknown> = {
      'input/missing': {},
      'input/unknown-name': { x, z: x },
      'input/dtype': { x: new Float64Array(2) },
      'input/size': { x: { data: x, shape: [3] } },
      'input/rank': { x: { data: x, shape: [1, 2] } },
      'input/not-a-tensor': { x: [1, 2] },
      'input/not-an-object': null,
      'input/other-device': { x: { device: 'elsewhere', dtype: 'f32', shape: [2] } },
      'dim/out-of-bounds': { x: new Float32Array((1 << 16) + 1) },
    }
    for (const [code, inputs] of Object.entries(wrong)) {
      expect(await codeOf(net.run(inputs as { x: Float32Array }))).toBe(code)
      close((await net.run({ x })).y.data, waveOf(x))
    }
    await net.dispose()
  })

  it('drops aborted runs, and listens to a signal no longer than the run', async () => {
    const net = await jit(product, options)
    const a = new Float32Array(4096).fill(0.01),
      b = a.slice()
    const controller = new AbortController()
    const { signal } = controller
    let listeners = 0
    const counted = Object.assign(signal, {
      addEventListener: (...args: Parameters<AbortSignal['addEventListener']>) => {
        listeners++
        EventTarget.prototype.addEventListener.apply(signal, args)
      },
      removeEventListener: (...args: Parameters<AbortSignal['removeEventListener']>) => {
        listeners--
        EventTarget.prototype.removeEventListener.apply(signal, args)
      },
    })
    for (let i = 0; i < 3; i++) await net.run({ a, b }, { signal: counted })
    expect(listeners).toBe(0)
    const running = net.run({ a, b }, { signal }),
      queued = net.run({ a, b }, { signal }),
      after = net.run({ a, b })
    controller.abort(new Error('enough'))
    expect([await codeOf(running), await codeOf(queued)]).toEqual(['run/aborted', 'run/aborted'])
    close((await after).y.data, new Float32Array(4096).fill(1 / 64))
    expect(await codeOf(net.run({ a, b }, { signal }))).toBe('run/aborted')
    await net.dispose()
  })

  it('is disposed of once, and says so afterwards', async () => {
    const net = await jit(wave, options)
    const x = Float32Array.of(1)
    const pending = codeOf(net.run({ x }))
    const both = [net.dispose(), net.dispose()]
    await Promise.all(both)
    expect(['no error', 'model/disposed']).toContain(await pending)
    for (const use of [net.run({ x }), net.profile({ x }), net.fork(), net.state.read('total')])
      expect(await codeOf(use)).toBe('model/disposed')
    expect(net.report().device).toBe(options.device)
  })

  it('ends its workers when the last fork is disposed of', async () => {
    const started: Worker[] = []
    const note = (worker: Worker): void => void started.push(worker)
    process.on('worker', note)
    const net = await jit(wave, options)
    process.off('worker', note)
    expect(started).toHaveLength(options.thread === 'worker' ? (options.threads ?? 1) : 0)
    const ended = started.map(worker => new Promise(resolve => worker.once('exit', resolve)))
    const fork = await net.fork()
    await net.dispose()
    close((await fork.run({ x: Float32Array.of(1) })).y.data, waveOf(Float32Array.of(1)))
    await fork.dispose()
    await Promise.all(ended)
  })

  it('works behind a proxy of a framework', async () => {
    const net = reactive(await jit(wave, options))
    const x = reactive({ data: Float32Array.of(1, 2), shape: [2] })
    const { y } = await net.run({ x }, { outputs: 'device' })
    close((await net.run({ x: reactive(y) })).y.data, waveOf(Float32Array.from(waveOf(x.data))))
    close((await reactive(y).read()).data, waveOf(x.data))
    await net.dispose()
  })

  it('profiles each kernel, without copying', async () => {
    const net = await jit(rounds, options)
    const inputs = { a: Float32Array.from({ length: 4096 }, (_, i) => (i % 7) / 64), b: new Float32Array(4096).fill(1) }
    const before = await net.run(inputs)
    const first = await net.profile(inputs)
    for (let run = 0; run < 50; run++) {
      const times = await net.profile(inputs)
      expect(times.map(({ kernel, runs }) => ({ kernel, runs }))).toEqual(
        first.map(({ kernel, runs }) => ({ kernel, runs })),
      )
    }
    const product = first.find(t => t.kernel.includes('matmul'))
    expect(product).toMatchObject({ runs: 5 })
    expect(first.some(t => t.kernel.includes('reduce') && t.runs === 1)).toBe(true)
    for (const { kernel, ms } of first) {
      expect(kernel).not.toBe('')
      expect(ms).toBeGreaterThanOrEqual(0)
    }
    expect(first.reduce((sum, { ms }) => sum + ms, 0)).toBeGreaterThan(0)
    expect(await net.run(inputs)).toEqual(before)
    await net.dispose()
  })
})

describe.runIf(software !== undefined)('a GPU that models share', () => {
  it('blames the model whose commands were wrong, and no other', async () => {
    const load = () => jit(wave, { device: 'webgpu' })
    const [one, two] = [await load(), await load()]
    const x = Float32Array.of(1, 2)
    const { y } = await one.run({ x }, { outputs: 'device' })
    // The buffer is the app's; destroying it behind the tensor's back is the app's mistake.
    const { buffer } = y as typeof y & { buffer: GPUBuffer }
    buffer.destroy()
    expect(await codeOf(two.run({ x: y }))).toBe('device/error')
    close((await one.run({ x })).y.data, waveOf(x))
    close((await two.run({ x })).y.data, waveOf(x))
    await Promise.all([one.dispose(), two.dispose()])
  })
})

describe.runIf(software !== undefined)('a lost GPU', () => {
  const x = Float32Array.of(1, 2)
  const losing = async (lose: (net: Awaited<ReturnType<typeof load>>, device: GPUDevice) => Promise<void>) => {
    const net = await load()
    const { y } = await net.run({ x }, { outputs: 'device' })
    await lose(net, (y as typeof y & { gpu: GPUDevice }).gpu)
    expect(await codeOf(net.run({ x }))).toBe('device/lost')
    expect(await codeOf(y.read())).toBe('device/lost')
    const again = await load()
    close((await again.run({ x })).y.data, waveOf(x))
    expect(await codeOf(again.run({ x: y }))).toBe('input/other-device')
    close((await again.run({ x })).y.data, waveOf(x))
    await Promise.all([net.dispose(), again.dispose()])
  }
  const load = () => jit(wave, { device: 'webgpu' })

  it('between runs: an error that says what to do, and the next load gets a new device', () =>
    losing(async (_, device) => {
      device.destroy()
      await device.lost
    }))
  it('during a run', () =>
    losing(async (net, device) => {
      const running = codeOf(net.run({ x: new Float32Array(1 << 16) }))
      await Promise.resolve().then(() => device.destroy())
      expect(await running).toBe('device/lost')
    }))
  it('during a load', () =>
    losing(async (_, device) => {
      const loading = codeOf(load())
      await new Promise(resolve => setTimeout(resolve, 20))
      device.destroy()
      expect(['no error', 'device/lost']).toContain(await loading)
    }))
})

it('joins parts on one thread and many alike', async () => {
  const both = model({ x: tensor('f32', [512, 16]) }, ({ x }) => ({ y: concat([sin(x), cos(x)], 1) }))
  const x = Float32Array.from({ length: 512 * 16 }, (_, i) => i / 100)
  const results = await Promise.all(
    [1, 2, 4].map(async threads => {
      const net = await jit(both, { device: 'wasm', thread: 'worker', threads })
      const { y } = await net.run({ x })
      await net.dispose()
      return y.data
    }),
  )
  expect(results[1]).toEqual(results[0])
  expect(results[2]).toEqual(results[0])
})
