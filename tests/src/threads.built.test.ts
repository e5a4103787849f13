/** @file Teams of workers in Node, on the built packages: right results over thousands of runs, and no hang when a member fails. */
import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { isQuernError } from '@quern/artifact'
import { jit } from '@quern/jit'
import { add, cos, dim, matmul, model, sin, tensor, transpose, unsqueeze } from '@quern/model'
import digits from '@quern/playground/src/models/digits.model.ts'
import { expect, it } from 'vitest'
import { countRight, testDigits } from './test-digits.ts'

const team = (threads: number) => ({ device: 'wasm', thread: 'worker', threads }) as const
const wave = model({ x: tensor('f32', [dim('n', { max: 1 << 17 })]) }, ({ x }) => ({ y: add(sin(x), cos(x)) }))

it.each([2, 3])('sin + cos, 3,000 runs of many sizes on %i threads', { timeout: 120_000 }, async threads => {
  const net = await jit(wave, team(threads))
  expect(net.report()).toMatchObject({ thread: 'worker', threads })
  const angles = Float32Array.from({ length: 4096 }, (_, i) => i * 0.37)
  const table = angles.map(a => Math.sin(a) + Math.cos(a))
  let wrong = 0
  for (let run = 0; run < 3000; run++) {
    // Sizes that leave some members without work, up to some that make the memory grow in the middle.
    const n = 1 + ((run * 7919) % (run % 50 === 49 ? Math.min(1 << 17, run * 40) : 4096))
    const x = new Float32Array(n)
    for (let at = 0; at < n; at += 4096) x.set(angles.subarray(0, n - at), at)
    const { y } = await net.run({ x })
    let fine = y.data.length === n
    for (let i = 0; fine && i < n; i++) fine = Math.abs((y.data[i] ?? NaN) - (table[i % 4096] ?? 0)) < 1e-5
    wrong += fine ? 0 : 1
  }
  expect(wrong).toBe(0)
  await net.dispose()
})

it('digits, 1,000 images in 2,000 runs on two threads', { timeout: 120_000 }, async () => {
  const { images, labels } = testDigits()
  const one = await jit(digits, { device: 'wasm', thread: 'caller' })
  const { probs: wanted } = await one.run({ image: images })
  await one.dispose()
  const net = await jit(digits, team(2))
  const { probs } = await net.run({ image: images })
  expect(countRight(probs.data, labels)).toBe(985)
  let wrong = 0
  for (let run = 0; run < 2000; run++) {
    const rows = 1 + (run % 3),
      first = (run * 37) % (1000 - rows)
    const found = await net.run({ image: images.subarray(first * 784, (first + rows) * 784) })
    const expected = wanted.data.subarray(first * 10, (first + rows) * 10)
    wrong += found.probs.data.every((p, i) => Math.abs(p - (expected[i] ?? NaN)) < 1e-5) ? 0 : 1
  }
  expect(wrong).toBe(0)
  await net.dispose()
})

it('a run that fails in the leader frees the others, and the next run works', { timeout: 60_000 }, async () => {
  // The product is far larger than its input: memory for it is refused when the others are on their way already.
  const outer = model({ x: tensor('f32', [dim('n', { min: 1 })]) }, ({ x }) => {
    const row = unsqueeze(x, 0)
    return { y: add(matmul(transpose(row, [1, 0]), row), 1) }
  })
  const net = await jit(outer, team(3))
  for (let i = 0; i < 3; i++) {
    const tooMuch = await net.run({ x: new Float32Array(60_000) }).then(
      () => 'no error',
      e => (isQuernError(e) ? e.code : e),
    )
    expect(tooMuch).toBe('wasm/out-of-memory')
    const { y } = await net.run({ x: Float32Array.of(1, 2, 3) })
    expect([...y.data]).toEqual([2, 3, 4, 3, 5, 7, 4, 7, 10])
  }
  await net.dispose()
})

it('disposing ends a run that is under way, and its workers', async () => {
  const net = await jit(wave, team(2))
  const running = net.run({ x: new Float32Array(1 << 17) }).then(
    () => 'no error',
    e => (isQuernError(e) ? e.code : e),
  )
  const start = performance.now()
  await net.dispose()
  expect(await running).toBe('model/disposed')
  expect(performance.now() - start).toBeLessThan(1000)
})

it('aborting a run that is under way drops its result at once, and the next run works', async () => {
  const slow = model({ x: tensor('f32', [512, 512]) }, ({ x }) => ({ y: matmul(matmul(matmul(x, x), x), x) }))
  const net = await jit(slow, { device: 'wasm', thread: 'worker', threads: 1 })
  const x = new Float32Array(512 * 512)
  for (let i = 0; i < 512; i++) x[i * 513] = 2
  // The first run compiles nothing any more: what follows is the time of a run.
  await net.run({ x })
  const controller = new AbortController()
  let ended = false
  const aborted = net.run({ x }, { signal: controller.signal }).then(
    () => 'no error',
    e => (isQuernError(e) ? e.code : e),
  )
  const next = net.run({ x }).then(outputs => {
    ended = true
    return outputs
  })
  // The message has gone to the worker by then, and its answer has not come.
  await new Promise(resolve => setImmediate(resolve))
  controller.abort()
  expect(await aborted).toBe('run/aborted')
  expect(ended).toBe(false)
  expect((await next).y.data[0]).toBe(16)
  await net.dispose()
})

it('an idle worker keeps no process alive, and one at work does', async () => {
  const code = `
    import { jit } from '@quern/jit'
    import { model, sin, tensor } from '@quern/model'
    const net = await jit(model({ x: tensor('f32', [2]) }, ({ x }) => ({ y: sin(x) })), { thread: 'worker', threads: 2 })
    console.log((await net.run({ x: Float32Array.of(0, 0) })).y.data.join())`
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', code], {
    cwd: fileURLToPath(new URL('..', import.meta.url)),
    timeout: 20_000,
  })
  expect(stdout).toBe('0,0\n')
})
