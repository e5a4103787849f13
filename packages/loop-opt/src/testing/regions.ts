/** @file Regions that tests schedule, as lowering makes them. */
import { type Kernel, parseKernel } from '@quern/core-ir'
import type { LoweredRegion, Stage } from '../lower/lowered-region.ts'

const stage = (
  name: string,
  buffer: string,
  spatial: readonly string[],
  role: Stage['role'],
  reduce: readonly string[] = [],
): Stage => ({ name, buffer, spatial, reduce, role })

/** y[m, n] = relu(a[m, k] b[k, n] + bias[n]). */
export const matmulRegion = (m: number | string, n: number | string, k: number | string): LoweredRegion => {
  const symbols = [m, n, k].filter(x => typeof x === 'string')
  const kernel = parseKernel(`kernel matmul${symbols.length > 0 ? `<${symbols.map(s => `${s}: 1..`).join(', ')}>` : ''}(
    read a: f32[${m},${k}], read b: f32[${k},${n}], read bias: f32[${n}], write y: f32[${m},${n}]
  ) {
    alloc private acc: f32[${m},${n}]
    for acc_init_i < ${m} { for acc_init_j < ${n} { store acc[acc_init_i, acc_init_j] = 0.0 } }
    for acc_i < ${m} { for acc_j < ${n} { for acc_k < ${k} { accumulate acc[acc_i, acc_j] sum= a[acc_i, acc_k] * b[acc_k, acc_j] } } }
    for y_i < ${m} { for y_j < ${n} { store y[y_i, y_j] = max(acc[y_i, y_j] + bias[y_j], 0.0) } }
  }`)
  return {
    kernel,
    stages: [
      stage('acc_init', 'acc', ['acc_init_i', 'acc_init_j'], 'init'),
      stage('acc', 'acc', ['acc_i', 'acc_j'], 'update', ['acc_k']),
      stage('y', 'y', ['y_i', 'y_j'], 'store'),
    ],
  }
}

export type { Kernel }
