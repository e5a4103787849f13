/** What needs more memory than there is, is refused by value, size and line; what may fit is left to the run. */
import { type DeviceKind, QuernError } from '@quern/artifact'
import { parseProgram } from '@quern/core-ir'
import { expect, test } from 'vitest'
import { compile } from './pipeline.ts'

const program = (n: string, header = '') =>
  parseProgram(`program wide {
  entry main = graph main${header}(%x: f32[${n}]) {
    %0 = broadcast(%x, shape=[40000,${n}])   // net.model.ts:3:7
    return wide = %0
  }
}`)
const compiled = (n: string, target: DeviceKind, maxMemory?: number, header = '') =>
  compile(program(n, header), target, maxMemory === undefined ? {} : { maxMemory })
const refused = (code: string, says: RegExp) =>
  expect.objectContaining({ constructor: QuernError, code, message: expect.stringMatching(says) })

test('more than 4 GiB', async () => {
  await expect(compiled('40000', 'wasm')).rejects.toEqual(
    refused(
      'wasm/needs-more-memory',
      /wide needs at least 5\.96 GiB .* for f32\[40000,40000\], .* which no option raises/,
    ),
  )
  await expect(compiled('40000', 'webgpu')).rejects.toEqual(
    refused('webgpu/needs-more-memory', /maxMemory is 4 GiB by default: raise it/),
  )
  await expect(compiled('40000', 'wasm')).rejects.toMatchObject({
    details: { origin: { line: 3, column: 7 }, operands: [{ type: 'f32[40000,40000]' }] },
  })
})

test('more than maxMemory', async () => {
  await expect(compiled('1000', 'wasm', 1e6)).rejects.toEqual(
    refused('model/over-max-memory', /its limit maxMemory is 0\.000931 GiB: raise it/),
  )
  await expect(compiled('1000', 'wasm', 1e9)).resolves.toBeDefined()
  await expect(compiled('40000', 'webgpu', 2 ** 33)).resolves.toBeDefined()
})

test('dims count at the least that they may be', async () => {
  await expect(compiled('n', 'wasm', undefined, '<n: 1..>')).resolves.toBeDefined()
  await expect(compiled('n', 'wasm', undefined, '<n: 40000..>')).rejects.toMatchObject({
    code: 'wasm/needs-more-memory',
  })
})
