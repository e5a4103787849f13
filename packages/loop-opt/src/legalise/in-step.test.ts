/** @file Vectors in step: one operation a statement, and the same results bit for bit. */
import { expandKernel, kernelDiagnostics, parseKernel, printKernel } from '@quern/core-ir'
import { expect, test } from 'vitest'
import { scheduleOf } from '../schedule/schedule.ts'
import { outputsOf } from '../testing/run.ts'
import { contractProducts } from './contract.ts'
import { stepByStep } from './in-step.ts'

const kernelOf = (body: string) =>
  parseKernel(`kernel f(read a: f32[64], read b: f32[], write y: f32[64]) {\n${body}\n}`)
const loop = (extent: number, body: string) =>
  kernelOf(`for o < ${64 / extent} { for vector i < ${extent} { ${body} } }`)

test('every operation is a statement; what is spelled as one instruction, and what one vector does, stays whole', () => {
  const body =
    'let x = a[i + 16*o] * b[] + 1.0\nstore y[i + 16*o] = select(x < 0.5, 0.5, x) * bitcast<f32>(bitcast<i32>(x) + 1)'
  expect(printKernel(stepByStep(loop(16, body)))).toMatchInlineSnapshot(`
    "kernel f(
      read a: f32[64],
      read b: f32[],
      write y: f32[64],
    ) {
      for o < 4 {
        for vector i < 16 {
          let mul = a[i + 16*o] * b[]
          let x = mul + 1.0
          let select = select(x < 0.5, 0.5, x)
          let add = bitcast<i32>(x) + 1
          store y[i + 16*o] = select * bitcast<f32>(add)
        }
      }
    }"
  `)
  const single = loop(4, body.replaceAll('16*o', '4*o'))
  expect(stepByStep(single)).toBe(single)
})

test('statements of a rare case stay under their condition', () => {
  const kernel = stepByStep(
    loop(
      8,
      'alloc register r: f32[]\nstore r[] = a[i + 8*o]\nif a[i + 8*o] * 2.0 < 1.0 { store r[] = r[] * 3.0 + b[] }\nstore y[i + 8*o] = r[]',
    ),
  )
  expect(kernelDiagnostics(kernel)).toEqual([])
  const lines = printKernel(kernel)
    .split('\n')
    .map(l => l.trim())
  expect(lines.indexOf('let mul_1 = r[] * 3.0')).toBeGreaterThan(lines.findIndex(l => l.startsWith('if ')))
})

test.each(['exp', 'log', 'sin', 'tanh', 'erf', 'sigmoid'])('%s of two and four vectors, bit for bit', name => {
  for (const extent of [8, 16])
    for (const form of [expandKernel, (k: ReturnType<typeof kernelOf>) => contractProducts(expandKernel(k))]) {
      const kernel = form(loop(extent, `store y[i + ${extent}*o] = ${name}(a[i + ${extent}*o] * b[]) + b[]`))
      const stepped = stepByStep(kernel)
      expect(kernelDiagnostics(stepped)).toEqual([])
      expect(printKernel(stepped)).not.toBe(printKernel(kernel))
      expect(outputsOf(scheduleOf(stepped).kernel, {})).toEqual(outputsOf(scheduleOf(kernel).kernel, {}))
    }
})
