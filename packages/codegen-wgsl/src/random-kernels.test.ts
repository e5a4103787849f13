/** @file Random kernels are valid WGSL, and do on a software adapter what the interpreter does. */
import { type DType, type HostArray, arrayOf } from '@quern/artifact'
import { type Kernel, interpretKernel, fromHalfBits, printKernel, toHalfBits } from '@quern/core-ir'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Choices } from '../../core-ir/src/loop/testing/random-parts.ts'
import { nullDevice, softwareGpu, validate } from '../test-support/dawn.ts'
import { KernelGenerator, width } from '../test-support/random-kernel.ts'
import { runKernel } from '../test-support/run-kernel.ts'
import { defaultLimits, emitKernel } from './kernel/emit-kernel.ts'

const software = await softwareGpu()
const choices = fc.array(fc.nat(1 << 20), { minLength: 100, maxLength: 500 })

const values: Partial<Record<DType, readonly number[]>> = {
  f32: [0, 1, -1, 2, 5, -7, 12, 0.5],
  f16: [0, 1, -1, 2, 5, -7, 12, 0.5].map(toHalfBits),
  bool: [0, 1],
}
const integers = [0, 1, -1, 2, 5, -7, 12, 255, 127, -128, 33, 2147483647, -2147483648, 65535]
/** NaN is NaN; signs of zero may be lost where a device contracts. */
const same = (dtype: DType | undefined, x: number | bigint, y: number | bigint | undefined): boolean => {
  const value = (v: number | bigint | undefined): number => (dtype === 'f16' ? fromHalfBits(Number(v)) : Number(v))
  return value(x) === value(y) || (Number.isNaN(value(x)) && Number.isNaN(value(y)))
}
const arraysOf = (kernel: Kernel, n: number, seed: number): Record<string, HostArray> => {
  let state = seed
  const next = (below: number): number => ((state = (Math.imul(state, 1103515245) + 12345) >>> 0) >>> 8) % below
  return Object.fromEntries(
    kernel.params.map(({ name, dtype }) => {
      const array = new arrayOf[dtype](n * width)
      const from = values[dtype] ?? integers
      for (let i = 0; i < array.length; i++)
        if (!(array instanceof BigInt64Array || array instanceof BigUint64Array))
          array[i] = from[next(from.length)] ?? 0
      return [name, array]
    }),
  )
}

test('Tint accepts random kernels', async () => {
  const device = await nullDevice()
  // Each form of a branch in a vector axis, and of an access, must occur.
  const seen = { masked: 0, lanes: 0, vec4: 0 }
  await fc.assert(
    fc.asyncProperty(choices, fc.boolean(), async (list, f16) => {
      const kernel = new KernelGenerator(new Choices(list)).kernel()
      const { shader } = emitKernel(kernel, { f16, limits: defaultLimits, index: 3 })
      const messages = await validate(device, shader)
      if (shader.code.includes('any(')) seen.masked++
      if (/if \(taken(_\d+)?\[/.test(shader.code)) seen.lanes++
      if (shader.code.includes('array<vec4')) seen.vec4++
      if (messages.length > 0) throw new Error(`${messages.join('\n')}\n${printKernel(kernel)}\n${shader.code}`)
    }),
    { numRuns: 150, endOnFailure: true },
  )
  expect(Math.min(...Object.values(seen)), JSON.stringify(seen)).toBeGreaterThan(0)
}, 120_000)

describe.skipIf(software === undefined)('on the software adapter', () => {
  test('random kernels do what the interpreter does', async () => {
    if (software === undefined) throw new Error('unreachable')
    const { device } = software
    await fc.assert(
      fc.asyncProperty(choices, fc.integer({ min: 1, max: 5 }), fc.nat(), async (list, n, seed) => {
        const kernel = new KernelGenerator(new Choices(list)).kernel()
        const wanted = arraysOf(kernel, n, seed)
        interpretKernel(kernel, { buffers: wanted, symbols: { n } }, { seed })
        const run = await runKernel(device, kernel, arraysOf(kernel, n, seed), { n })
        expect(run.status, run.code).toBe('ok')
        expect(run.dispatches).toBe(1)
        for (const { name } of kernel.params) {
          const [found, want] = [run.buffers[name] ?? [], wanted[name] ?? []]
          const dtype = kernel.params.find(p => p.name === name)?.dtype
          const wrong = want.findIndex((x, i) => !same(dtype, x, found[i]))
          if (wrong >= 0)
            throw new Error(
              `${name}[${wrong}] is ${found[wrong]}, not ${want[wrong]}, at n = ${n}, in\n${printKernel(kernel)}\n${run.code}`,
            )
        }
      }),
      { numRuns: 25, endOnFailure: true },
    )
  }, 240_000)
})
