/** @file Teams of workers in Node, on the built packages: right results over thousands of runs, and no hang when a member fails. */
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
