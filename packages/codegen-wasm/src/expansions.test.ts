/** @file Expanded functions, rare paths included, give in wasm the bits that they give in the interpreter. */
import { type DType, arrayOf } from '@quern/artifact'
import { binaryOps, expandKernel, interpretKernel, parseKernel, unaryOps } from '@quern/core-ir'
import { expect, test } from 'vitest'
import { instantiate, programOf } from '../test-support/run-kernel.ts'
import { pairs, shown } from '../test-support/values.ts'

const expanded = Object.entries({ ...unaryOps, ...binaryOps }).filter(([, row]) => !row.basic)

test.each(['f32', 'f16', 'f64'] satisfies DType[])('%s', async d => {
  const [x, y] = pairs(d, d)
  const n = x.length
  const kernels = expanded.flatMap(([op]) => {
    const call = (at: string): string => (op in unaryOps ? `${op}(x[${at}])` : `${op}(x[${at}], y[${at}])`)
    const lanes = d === 'f64' ? 2 : 4
    const params = `read x: ${d}[${n}], read y: ${d}[${n}], write z: ${d}[${n}]`
    return [
      `kernel ${op}(${params}) { for i < ${n} { store z[i] = ${call('i')} } }`,
      `kernel ${op}_lanes(${params}) { for i < ${n / lanes} { for vector v < ${lanes} { store z[${lanes}*i + v] = ${call(`${lanes}*i + v`)} } } }`,
    ].map(text => expandKernel(parseKernel(text)))
  })
  expect(kernels.length).toBeGreaterThan(8)
  const wasm = await instantiate(programOf(...kernels))
  for (const [i, kernel] of kernels.entries()) {
    const found = new arrayOf[d](n),
      wanted = new arrayOf[d](n)
    wasm.run({ x, y, z: found }, {}, i === 0 ? 'main' : `main_${i}`)
    interpretKernel(kernel, { buffers: { x, y, z: wanted }, symbols: {} })
    const a = shown(d, found),
      b = shown(d, wanted)
    const wrong = a.findIndex((v, at) => v !== b[at])
    if (wrong >= 0)
      throw new Error(`${kernel.name}(${shown(d, x)[wrong]}, ${shown(d, y)[wrong]}) is ${a[wrong]}, not ${b[wrong]}`)
  }
})
