import { expandKernel, parseKernel, printKernel } from '@quern/core-ir'
import { expect, test } from 'vitest'
import { scheduleOf } from '../schedule/schedule.ts'
import { outputsOf } from '../testing/run.ts'
import { contractProducts } from './contract.ts'

const kernelOf = (params: string, body: string) => parseKernel(`kernel f(${params}) {\n${body}\n}`)
const bodyOf = (params: string, body: string): string =>
  printKernel(contractProducts(kernelOf(params, body)))
    .split('\n')
    .slice(1, -1)
    .map(l => l.trim())
    .join('\n')
const one = 'read a: f32[8], read b: f32[8], write y: f32[8]'

test.each([
  ['a[i] * b[i] + 1.0', 'madd!(a[i], b[i], 1.0)'],
  ['1.0 + a[i] * b[i]', 'madd!(a[i], b[i], 1.0)'],
  ['1.0 - a[i] * b[i]', 'nmadd!(a[i], b[i], 1.0)'],
  ['(a[i] * b[i] + 1.0) * b[i] + 2.0', 'madd!(madd!(a[i], b[i], 1.0):f32, b[i], 2.0):f32'],
])('%s', (value, contracted) => {
  expect(bodyOf(one, `for i < 8 { store y[i] = ${value} }`)).toContain(contracted)
})

test('a sum of products in one element', () => {
  expect(
    bodyOf('read a: f32[8], write y: f32[]', 'store y[] = 0.0\nfor i < 8 { accumulate y[] sum= a[i] * a[i] }'),
  ).toContain('store y[] = madd!(a[i], a[i], y[])')
})

test('lanes that meet in one element, other types and other sums stay as they are', () => {
  expect(
    bodyOf('read a: f32[4], write y: f32[]', 'store y[] = 0.0\nfor vector i < 4 { accumulate y[] sum= a[i] * a[i] }'),
  ).not.toContain('madd')
  expect(bodyOf('read a: f64[4], write y: f64[4]', 'for i < 4 { store y[i] = a[i] * a[i] + a[i] }')).not.toContain(
    'madd',
  )
  expect(bodyOf('read a: i32[4], write y: i32[4]', 'for i < 4 { store y[i] = a[i] * a[i] + a[i] }')).not.toContain(
    'madd',
  )
  expect(bodyOf('read a: f32[4], write y: f32[4]', 'for i < 4 { accumulate y[i] max= a[i] * a[i] }')).not.toContain(
    'madd',
  )
})

test.each(['exp', 'sin', 'tanh', 'erf'])('the polynomial of %s, within rounding', name => {
  const kernel = expandKernel(
    kernelOf('read a: f32[64], write y: f32[64]', `for i < 64 { store y[i] = ${name}(a[i]) }`),
  )
  const contracted = contractProducts(kernel)
  expect(printKernel(contracted).match(/madd!/g)?.length ?? 0).toBeGreaterThan(3)
  const before = outputsOf(scheduleOf(kernel).kernel, {}),
    after = outputsOf(scheduleOf(contracted).kernel, {})
  // Where an intrinsic rounds twice, as in the interpreter, nothing changes at all.
  expect(after).toEqual(before)
})
