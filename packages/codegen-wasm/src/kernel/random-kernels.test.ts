import { type HostArray, arrayOf, wasmHeader } from '@quern/artifact'
import { type Kernel, interpretKernel, printKernel } from '@quern/core-ir'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Choices } from '../../../core-ir/src/loop/testing/random-parts.ts'
import { Generator, width } from '../../test-support/random-kernel.ts'
import { type Instance, instantiate, programOf } from '../../test-support/run-kernel.ts'
import { runTeam } from '../../test-support/team.ts'
import { filled, shown } from '../../test-support/values.ts'

const arraysOf = (kernel: Kernel, n: number, seed: number): Record<string, HostArray> => {
  let state = seed
  const next = (): number => (state = (Math.imul(state, 1103515245) + 12345) >>> 0) / 2 ** 32
  return Object.fromEntries(
    kernel.params.map(p => [
      p.name,
      filled(p.dtype, p.strides === undefined ? n * width : 2 + (n - 1) * (width + 3) + width, next),
    ]),
  )
}

type Arrays = Record<string, HostArray>

/** Holds what a run left in its arrays against the interpreter. */
const compare = (kernel: Kernel, n: number, seed: number, found: Arrays, wasm: Instance): void => {
  const wanted = arraysOf(kernel, n, seed)
  try {
    interpretKernel(kernel, { buffers: wanted, symbols: { n } }, { checkRaces: false })
  } catch (error) {
    throw new Error(`the interpreter refuses\n${printKernel(kernel)}`, { cause: error })
  }
  for (const p of kernel.params) {
    const none = new arrayOf[p.dtype](0)
    const a = shown(p.dtype, found[p.name] ?? none),
      b = shown(p.dtype, wanted[p.name] ?? none)
    const wrong = a.findIndex((x, i) => x !== b[i])
    if (wrong >= 0)
      throw new Error(
        `${p.name}[${wrong}] is ${a[wrong]}, not ${b[wrong]}, at n = ${n}, in\n${printKernel(kernel)}\n${wasm.emitted.wat}`,
      )
  }
}

const choices = fc.array(fc.nat(1 << 20), { minLength: 100, maxLength: 400 })
const sizes = fc.integer({ min: 1, max: 9 })

test.each([
  ['one thread', { threads: false, relaxed: false }],
  ['a team of one', { threads: true, relaxed: false }],
] as const)(
  'random kernels do what the interpreter does: %s',
  async (_, options) => {
    let vectors = 0
    await fc.assert(
      fc.asyncProperty(choices, fc.boolean(), sizes, fc.nat(), async (list, parallel, n, seed) => {
        const kernel = new Generator(new Choices(list), parallel).kernel()
        const wasm = await instantiate(programOf(kernel), options).catch((cause: unknown) => {
          throw new Error(`no module for\n${printKernel(kernel)}`, { cause })
        })
        if (wasm.emitted.wat.includes('x4.')) vectors++
        const found = arraysOf(kernel, n, seed)
        wasm.run(found, { n })
        compare(kernel, n, seed, found, wasm)
      }),
      { numRuns: 60, endOnFailure: true },
    )
    expect(vectors).toBeGreaterThan(10)
  },
  600_000,
)

test('random parallel kernels on a team of three', async () => {
  await fc.assert(
    fc.asyncProperty(choices, sizes, fc.nat(), async (list, n, seed) => {
      const kernel = new Generator(new Choices(list), true).kernel()
      const wasm = await instantiate(programOf(kernel), { threads: true, relaxed: false })
      const found = arraysOf(kernel, n, seed)
      wasm.write(found, { n })
      new DataView(wasm.memory.buffer).setInt32(wasmHeader.teamSize, 3, true)
      const { module, memory } = wasm
      const job = { module, memory, entry: 'main', runs: 1, before: '() => {}', after: '() => true' }
      expect(await runTeam(job, [0, 1, 2])).toEqual(Array(3).fill({ statuses: [0], wrong: 0 }))
      wasm.read(found, { n })
      compare(kernel, n, seed, found, wasm)
    }),
    { numRuns: 8, endOnFailure: true },
  )
}, 60_000)
