/** @file Regions that tests schedule, as lowering makes them. */
import { parseKernel } from '@quern/core-ir'
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

/** y[i, j] = x[i, j] / sum over j of x[i, j]. */
export const rowRegion = (m: number | string, n: number | string): LoweredRegion => {
  const symbols = [m, n].filter(x => typeof x === 'string')
  const kernel = parseKernel(`kernel rows${symbols.length > 0 ? `<${symbols.map(s => `${s}: 1..`).join(', ')}>` : ''}(
    read x: f32[${m},${n}], write y: f32[${m},${n}]
  ) {
    alloc private s: f32[${m}]
    for s_init_i < ${m} { store s[s_init_i] = 0.0 }
    for s_i < ${m} { for s_k < ${n} { accumulate s[s_i] sum= x[s_i, s_k] } }
    for y_i < ${m} { for y_j < ${n} { store y[y_i, y_j] = x[y_i, y_j] - s[y_i] } }
  }`)
  return {
    kernel,
    stages: [
      stage('s_init', 's', ['s_init_i'], 'init'),
      stage('s', 's', ['s_i'], 'update', ['s_k']),
      stage('y', 'y', ['y_i', 'y_j'], 'store'),
    ],
  }
}

/** y[i] = t[i] * 2 + x[i] with t[i] = |x[i]|, over a flat shape. */
export const mapRegion = (n: number | string): LoweredRegion => {
  const kernel =
    parseKernel(`kernel map${typeof n === 'string' ? `<${n}: 1..>` : ''}(read x: f32[${n}], write y: f32[${n}]) {
    alloc private t: f32[${n}]
    for t_i < ${n} { store t[t_i] = abs(x[t_i]) }
    for y_i < ${n} { store y[y_i] = t[y_i] * 2.0 + x[y_i] }
  }`)
  return { kernel, stages: [stage('t', 't', ['t_i'], 'store'), stage('y', 'y', ['y_i'], 'store')] }
}

/** A padded convolution: y[o, p, q] = sum over c, u, v of x[c, p + u - 1, q + v - 1] w[o, c, u, v]. */
export const convRegion = (o: number, c: number, h: number | string, w: number): LoweredRegion => {
  const kernel = parseKernel(`kernel conv${typeof h === 'string' ? `<${h}: 1..>` : ''}(
    read x: f32[${c},${h},${w}], read w: f32[${o},${c},3,3], write y: f32[${o},${h},${w}]
  ) {
    alloc private acc: f32[${o},${h},${w}]
    for acc_init_o < ${o} { for acc_init_p < ${h} { for acc_init_q < ${w} { store acc[acc_init_o, acc_init_p, acc_init_q] = 0.0 } } }
    for acc_o < ${o} { for acc_p < ${h} { for acc_q < ${w} {
      for acc_c < ${c} { for acc_u < 3 { for acc_v < 3 {
        accumulate acc[acc_o, acc_p, acc_q] sum= (and(and(i32[acc_p + acc_u - 1] >= 0, i32[acc_p + acc_u - 1] < i32[${h}]), and(i32[acc_q + acc_v - 1] >= 0, i32[acc_q + acc_v - 1] < i32[${w}])) ? x[acc_c, acc_p + acc_u - 1, acc_q + acc_v - 1] : 0.0) * w[acc_o, acc_c, acc_u, acc_v]
      } } }
    } } }
    for y_o < ${o} { for y_p < ${h} { for y_q < ${w} { store y[y_o, y_p, y_q] = max(acc[y_o, y_p, y_q], 0.0) } } }
  }`)
  return {
    kernel,
    stages: [
      stage('acc_init', 'acc', ['acc_init_o', 'acc_init_p', 'acc_init_q'], 'init'),
      stage('acc', 'acc', ['acc_o', 'acc_p', 'acc_q'], 'update', ['acc_c', 'acc_u', 'acc_v']),
      stage('y', 'y', ['y_o', 'y_p', 'y_q'], 'store'),
    ],
  }
}
