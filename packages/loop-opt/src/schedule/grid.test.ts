import { describe, expect, test } from 'vitest'
import { printKernel, verifyKernel } from '@quern/core-ir'
import { legalise } from '../legalise/legalise.ts'
import { matmulRegion, rowRegion } from '../testing/regions.ts'
import { type Symbols, outputsOf } from '../testing/run.ts'
import { primitives as p } from './primitives.ts'
import { type Schedule, scheduleOf } from './schedule.ts'
import { editStmts } from './tree.ts'

/** 8 × 8 tiles of the result a workgroup, 2 × 2 elements a thread, both operands through shared memory in blocks of 4. */
const tiledMatmul = (m: number | string, n: number | string, k: number | string, lanes?: number): Schedule => {
  let s = scheduleOf(matmulRegion(m, n, k), { permits: 'reassociates' })
  s = p.split(s, 'acc_i', 8, { tail: 'pad' })
  s = p.split(s, 'acc_j', 8, { tail: 'pad' })
  s = p.split(s, 'acc_k', 4, { tail: 'mask' })
  s = p.split(s, 'acc_i_i', 2)
  s = p.split(s, 'acc_j_i', 2)
  s = p.reorder(s, 'acc_i_o', 'acc_j_o', 'acc_i_i_o', 'acc_j_i_o', 'acc_k_o', 'acc_k_i', 'acc_i_i_i', 'acc_j_i_i')
  s = p.computeAt(s, 'acc_init', 'acc_j_i_o')
  s = p.computeAt(s, 'y', 'acc_j_i_o')
  s = p.setSpace(s, 'acc', 'register')
  s = p.bind(s, 'acc_i_o', 'workgroup.y')
  s = p.bind(s, 'acc_j_o', 'workgroup.x')
  s = p.bind(s, 'acc_i_i_o', 'thread.y')
  s = p.bind(s, 'acc_j_i_o', 'thread.x')
  for (const buffer of ['a', 'b'])
    s = p.stage(s, buffer, 'acc_k_o', {
      space: 'shared',
      fill: 0,
      threads: ['acc_i_i_o', 'acc_j_i_o'],
      ...(lanes !== undefined && { lanes }),
    })
  if (lanes !== undefined) for (const name of ['a_t_v', 'b_t_v']) s = p.vectorize(s, name)
  for (const axis of ['acc_i_i_i', 'acc_j_i_i', 'acc_init_i', 'acc_init_j', 'y_i', 'y_j']) s = p.unroll(s, axis)
  return s
}

const sizes: readonly (readonly [number | string, number | string, number | string, Symbols])[] = [
  [16, 8, 8, {}],
  [9, 11, 6, {}],
  ['m', 'n', 'k', { m: 1, n: 1, k: 1 }],
  ['m', 'n', 'k', { m: 10, n: 17, k: 9 }],
]

describe('a matmul over workgroups, with shared and register tiles', () => {
  test.each(sizes)('keeps the meaning for %s × %s × %s %o, in any order of threads', (m, n, k, symbols) => {
    const s = tiledMatmul(m, n, k)
    const expected = outputsOf(matmulRegion(m, n, k).kernel, symbols)
    const legal = legalise(s.kernel)
    verifyKernel(legal)
    for (let seed = 0; seed < 4; seed++) expect(outputsOf(legal, symbols, { seed })).toEqual(expected)
  })

  test.each(sizes)('copies four elements at a time for %s × %s × %s %o', (m, n, k, symbols) => {
    const legal = legalise(tiledMatmul(m, n, k, 4).kernel)
    verifyKernel(legal)
    expect(outputsOf(legal, symbols)).toEqual(outputsOf(matmulRegion(m, n, k).kernel, symbols))
  })

  test('tests a vector once where four divides the rows', () => {
    expect(printKernel(legalise(tiledMatmul(16, 12, 8, 4).kernel))).toContain(
      'for vector b_t_v < 4 {\n                store b_t[',
    )
  })

  test('refuses rows that do not fall into vectors', () => {
    expect(() => tiledMatmul(8, 8, 8, 3)).toThrow('3 elements at a time do not make up rows of 4')
  })

  test('races without any one of its barriers', () => {
    const legal = legalise(tiledMatmul(16, 8, 8).kernel)
    const barriers = printKernel(legal).split('barrier').length - 1
    expect(barriers).toBe(2)
    let nth = -1,
      racing = 0
    for (let dropped = 0; dropped < barriers; dropped++) {
      nth = -1
      const kernel = {
        ...legal,
        body: editStmts(legal.body, x => (x.kind === 'barrier' && ++nth === dropped ? [] : undefined)),
      }
      try {
        outputsOf(kernel, {}, { seed: 3 })
      } catch {
        racing++
      }
    }
    expect(racing).toBe(2)
  })

  test('has no condition left in its blocks where tiles divide', () => {
    expect(printKernel(legalise(tiledMatmul(16, 8, 8).kernel))).not.toMatch(/\bif\b|\?/)
  })
})

test('rows over workgroups, each row summed by threads that share partial sums', () => {
  const region = rowRegion('m', 32)
  let s = scheduleOf(region, { permits: 'reassociates' })
  s = p.split(s, 's_k', 8)
  s = p.rfactor(s, 's_k_i', 's_k_o', 'part')
  const before = printKernel(s.kernel)
  expect(before).toContain('accumulate part[s_k_i] sum= x[s_i, s_k_i + 8*s_k_o]')
  s = p.computeAt(s, 's_init', 's_i')
  expect(outputsOf(legalise(s.kernel), { m: 5 })).toEqual(outputsOf(region.kernel, { m: 5 }))
})
