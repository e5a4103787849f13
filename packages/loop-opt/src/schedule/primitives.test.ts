import { type QuernError, isQuernError } from '@quern/artifact'
import { type Kernel, parseKernel, printKernel } from '@quern/core-ir'
import { describe, expect, test } from 'vitest'
import { legalise } from '../legalise/legalise.ts'
import { convRegion, mapRegion, matmulRegion, rowRegion } from '../testing/regions.ts'
import { outputsOf } from '../testing/run.ts'
import { primitives as p } from './primitives.ts'
import { type Schedule, scheduleOf } from './schedule.ts'

const map = (): Schedule => scheduleOf(mapRegion('n'))
const matmul = (): Schedule => scheduleOf(matmulRegion(4, 6, 5))
const rows = (): Schedule => scheduleOf(rowRegion('m', 12))
const conv = (): Schedule => scheduleOf(convRegion(1, 1, 8, 8))
const of = (text: string): Schedule => scheduleOf(parseKernel(text))
const flat = (): Schedule =>
  of('kernel f(read x: f32[10], write y: f32[10]) { for i < 10 { store y[i] = x[i] * 2.0 } }')

const body = (kernel: Kernel): string =>
  printKernel(kernel)
    .split('\n')
    .slice(kernel.params.length + 2, -1)
    .map(line => line.slice(2))
    .join('\n')
/** The nest of one axis, as it stands after an edit. */
const after = (s: Schedule): string => `\n${body(s.kernel)}\n`

describe('pictures', () => {
  test('split exact', () =>
    expect(after(p.split(flat(), 'i', 5))).toMatchInlineSnapshot(`
    "
    for i_o < 2 {
      for i_i < 5 {
        store y[i_i + 5*i_o] = x[i_i + 5*i_o] * 2.0
      }
    }
    "
  `))
  test('split guard', () =>
    expect(after(p.split(flat(), 'i', 4, { tail: 'guard' }))).toMatchInlineSnapshot(`
    "
    for i_o < 3 {
      for i_i < 4 {
        if i32[i_i + 4*i_o] < i32[10] {
          store y[i_i + 4*i_o] = x[i_i + 4*i_o] * 2.0
        }
      }
    }
    "
  `))
  test('split peel', () =>
    expect(after(p.split(flat(), 'i', 4, { tail: 'peel' }))).toMatchInlineSnapshot(`
    "
    for i_o < 2 {
      for i_i < 4 {
        store y[i_i + 4*i_o] = x[i_i + 4*i_o] * 2.0
      }
    }
    for i_r < 2 {
      store y[i_r + 8] = x[i_r + 8] * 2.0
    }
    "
  `))
  test('split short', () =>
    expect(after(p.split(flat(), 'i', 4, { tail: 'short' }))).toMatchInlineSnapshot(`
    "
    for i_o < 3 {
      for i_i < min(-4*i_o + 10, 4) {
        store y[i_i + 4*i_o] = x[i_i + 4*i_o] * 2.0
      }
    }
    "
  `))
  test('split overlap', () =>
    expect(after(p.split(flat(), 'i', 4, { tail: 'overlap' }))).toMatchInlineSnapshot(`
    "
    for i_o < 3 {
      for i_i < 4 {
        store y[i_i + min(4*i_o, 6)] = x[i_i + min(4*i_o, 6)] * 2.0
      }
    }
    "
  `))
  test('split overlap of unknown extent', () =>
    expect(after(p.split(p.inline(map(), 't'), 'y_i', 4, { tail: 'overlap' }))).toMatchInlineSnapshot(`
      "
      if i32[n] >= i32[4] {
        for y_i_o < (n + 3) // 4 {
          for y_i_i < 4 {
            store y[min(4*y_i_o, n - 4) + y_i_i] = abs(x[min(4*y_i_o, n - 4) + y_i_i]) * 2.0 + x[min(4*y_i_o, n - 4) + y_i_i]
          }
        }
      } else {
        for y_i_r < n {
          store y[y_i_r] = abs(x[y_i_r]) * 2.0 + x[y_i_r]
        }
      }
      "
    `))
  test('split pad', () =>
    expect(after(p.split(flat(), 'i', 4, { tail: 'pad' }))).toMatchInlineSnapshot(`
    "
    for i_o < 3 {
      for i_i < 4 {
        store y[i_i + 4*i_o] = x[i_i + 4*i_o] * 2.0
      }
    }
    "
  `))
  test('split mask', () =>
    expect(after(p.split(rows(), 's_k', 5, { tail: 'mask' }))).toMatchInlineSnapshot(`
    "
    alloc private s: f32[m]
    for s_init_i < m {
      store s[s_init_i] = 0.0
    }
    for s_i < m {
      for s_k_o < 3 {
        for s_k_i < 5 {
          accumulate s[s_i] sum= select(i32[s_k_i + 5*s_k_o] < i32[12], (i32[s_k_i + 5*s_k_o] < i32[12] ? x[s_i, s_k_i + 5*s_k_o] : 0.0), 0.0)
        }
      }
    }
    for y_i < m {
      for y_j < 12 {
        store y[y_i, y_j] = x[y_i, y_j] - s[y_i]
      }
    }
    "
  `))
  test('reorder', () =>
    expect(after(p.reorder(matmul(), 'acc_k', 'acc_i'))).toMatchInlineSnapshot(`
    "
    alloc private acc: f32[4,6]
    for acc_init_i < 4 {
      for acc_init_j < 6 {
        store acc[acc_init_i, acc_init_j] = 0.0
      }
    }
    for acc_k < 5 {
      for acc_j < 6 {
        for acc_i < 4 {
          accumulate acc[acc_i, acc_j] sum= a[acc_i, acc_k] * b[acc_k, acc_j]
        }
      }
    }
    for y_i < 4 {
      for y_j < 6 {
        store y[y_i, y_j] = max(acc[y_i, y_j] + bias[y_j], 0.0)
      }
    }
    "
  `))
  test('fuse', () =>
    expect(after(p.fuse(rows(), 'y_i', 'y_j'))).toMatchInlineSnapshot(`
    "
    alloc private s: f32[m]
    for s_init_i < m {
      store s[s_init_i] = 0.0
    }
    for s_i < m {
      for s_k < 12 {
        accumulate s[s_i] sum= x[s_i, s_k]
      }
    }
    for y_i_y_j < 12*m {
      store y[y_i_y_j // 12, y_i_y_j % 12] = x[y_i_y_j // 12, y_i_y_j % 12] - s[y_i_y_j // 12]
    }
    "
  `))
  test('computeAt of a fill and of a store', () =>
    expect(after(p.computeAt(p.computeAt(rows(), 's_init', 's_i'), 'y', 's_i'))).toMatchInlineSnapshot(`
      "
      for s_i < m {
        alloc private s: f32[1]
        for s_init_i < 1 {
          store s[s_init_i] = 0.0
        }
        for s_k < 12 {
          accumulate s[0] sum= x[s_i, s_k]
        }
        for y_i < 1 {
          for y_j < 12 {
            store y[s_i + y_i, y_j] = x[s_i + y_i, y_j] - s[y_i]
          }
        }
      }
      "
    `))
  test('inline', () =>
    expect(after(p.inline(map(), 't'))).toMatchInlineSnapshot(`
    "
    for y_i < n {
      store y[y_i] = abs(x[y_i]) * 2.0 + x[y_i]
    }
    "
  `))
  test('fission', () => {
    const s = of(
      'kernel f(read x: f32[8], write y: f32[8]) { for i < 8 { alloc register t: f32[1] store t[0] = x[i] store y[i] = t[0] } }',
    )
    expect(after(p.fission(s, 'i', ['i_load', 'i_store']))).toMatchInlineSnapshot(`
      "
      alloc register t: f32[8]
      for i_load < 8 {
        store t[i_load] = x[i_load]
      }
      for i_store < 8 {
        store y[i_store] = t[i_store]
      }
      "
    `)
  })
  test('fission in two', () => {
    const s = of(
      'kernel f(read x: f32[8], write y: f32[8]) { for i < 8 { alloc register t: f32[1] store y[i] = 0.0 store t[0] = x[i] store y[i] = t[0] } }',
    )
    expect(after(p.fission(s, 'i', ['i', 'i_r'], 2))).toMatchInlineSnapshot(`
      "
      for i < 8 {
        store y[i] = 0.0
      }
      for i_r < 8 {
        alloc register t: f32[1]
        store t[0] = x[i_r]
        store y[i_r] = t[0]
      }
      "
    `)
  })
  test('fission by numbers of statements', () => {
    const s = of(
      'kernel f(read x: f32[8], write y: f32[8]) { for i < 8 { store y[i] = 0.0 store y[i] = 1.0 store y[i] = 2.0 store y[i] = x[i] } }',
    )
    expect(after(p.fission(s, 'i', ['i', 'i_two', 'i_last'], [1, 2, 1]))).toMatchInlineSnapshot(`
      "
      for i < 8 {
        store y[i] = 0.0
      }
      for i_two < 8 {
        store y[i_two] = 1.0
        store y[i_two] = 2.0
      }
      for i_last < 8 {
        store y[i_last] = x[i_last]
      }
      "
    `)
  })
  test('stage of some uses', () => {
    const s = of(
      'kernel f(read x: f32[8,8], write y: f32[8,8]) { for i < 8 { for j < 8 { store y[i, j] = x[i, 0] * x[j, 1] } } }',
    )
    expect(after(p.stage(s, 'x', 'i', { space: 'private', along: 'j' }))).toMatchInlineSnapshot(`
      "
      for i < 8 {
        alloc private x_t: f32[8,1]
        for x_t_0 < 8 {
          for x_t_1 < 1 {
            store x_t[x_t_0, x_t_1] = x[x_t_0, x_t_1 + 1]
          }
        }
        for j < 8 {
          store y[i, j] = x[i, 0] * x_t[j, 0]
        }
      }
      "
    `)
  })
  test('stage with fills', () =>
    expect(after(p.stage(conv(), 'x', 'acc_q', { space: 'register', fill: 0 }))).toMatchInlineSnapshot(`
    "
    alloc private acc: f32[1,8,8]
    for acc_init_o < 1 {
      for acc_init_p < 8 {
        for acc_init_q < 8 {
          store acc[acc_init_o, acc_init_p, acc_init_q] = 0.0
        }
      }
    }
    for acc_o < 1 {
      for acc_p < 8 {
        for acc_q < 8 {
          alloc register x_t: f32[1,3,3]
          for x_t_0 < 1 {
            for x_t_1 < 3 {
              for x_t_2 < 3 {
                store x_t[x_t_0, x_t_1, x_t_2] = (and(and(and(i32[acc_p + x_t_1 - 1] >= i32[0], i32[acc_p + x_t_1 - 1] < i32[8]), i32[acc_q + x_t_2 - 1] >= i32[0]), i32[acc_q + x_t_2 - 1] < i32[8]) ? x[x_t_0, acc_p + x_t_1 - 1, acc_q + x_t_2 - 1] : 0.0)
              }
            }
          }
          for acc_c < 1 {
            for acc_u < 3 {
              for acc_v < 3 {
                accumulate acc[acc_o, acc_p, acc_q] sum= x_t[acc_c, acc_u, acc_v] * w[acc_o, acc_c, acc_u, acc_v]
              }
            }
          }
        }
      }
    }
    for y_o < 1 {
      for y_p < 8 {
        for y_q < 8 {
          store y[y_o, y_p, y_q] = max(acc[y_o, y_p, y_q], 0.0)
        }
      }
    }
    "
  `))
  test('stage of an accumulator', () =>
    expect(after(p.stage(rows(), 's', 's_k', { space: 'register', around: true, update: true })))
      .toMatchInlineSnapshot(`
      "
      alloc private s: f32[m]
      for s_init_i < m {
        store s[s_init_i] = 0.0
      }
      for s_i < m {
        alloc register s_t: f32[1]
        for s_t_0 < 1 {
          store s_t[s_t_0] = s[s_i + s_t_0]
        }
        for s_k < 12 {
          accumulate s_t[0] sum= x[s_i, s_k]
        }
        for s_t_out0 < 1 {
          store s[s_i + s_t_out0] = s_t[s_t_out0]
        }
      }
      for y_i < m {
        for y_j < 12 {
          store y[y_i, y_j] = x[y_i, y_j] - s[y_i]
        }
      }
      "
    `))
  test('rfactor', () => {
    const s = scheduleOf(rowRegion('m', 12), { permits: 'reassociates' })
    expect(after(p.rfactor(p.split(s, 's_k', 4), 's_k_i', 's_k_o'))).toMatchInlineSnapshot(`
      "
      alloc private s: f32[m]
      for s_init_i < m {
        store s[s_init_i] = 0.0
      }
      for s_i < m {
        alloc register s_rf: f32[4]
        for s_k_i_fill < 4 {
          store s_rf[s_k_i_fill] = 0.0
        }
        for s_k_o < 3 {
          for s_k_i < 4 {
            accumulate s_rf[s_k_i] sum= x[s_i, s_k_i + 4*s_k_o]
          }
        }
        for s_k_i_join < 4 {
          accumulate s[s_i] sum= s_rf[s_k_i_join]
        }
      }
      for y_i < m {
        for y_j < 12 {
          store y[y_i, y_j] = x[y_i, y_j] - s[y_i]
        }
      }
      "
    `)
  })
  test('hoist', () =>
    expect(after(p.hoist(p.reorder(matmul(), 'acc_k', 'acc_j'), 'a', 'acc_k'))).toMatchInlineSnapshot(`
    "
    alloc private acc: f32[4,6]
    for acc_init_i < 4 {
      for acc_init_j < 6 {
        store acc[acc_init_i, acc_init_j] = 0.0
      }
    }
    for acc_i < 4 {
      for acc_k < 5 {
        let a_v = a[acc_i, acc_k]
        for acc_j < 6 {
          accumulate acc[acc_i, acc_j] sum= a_v * b[acc_k, acc_j]
        }
      }
    }
    for y_i < 4 {
      for y_j < 6 {
        store y[y_i, y_j] = max(acc[y_i, y_j] + bias[y_j], 0.0)
      }
    }
    "
  `))
  test('tabulate', () => {
    const region = parseKernel(`kernel f(read x: f32[4,8], write y: f32[4,8]) {
      for r < 4 {
        alloc register s: f32[1]
        store s[0] = 0.0
        for one < 1 {
          for k < 8 {
            let e = exp(x[r + one, k])
            accumulate s[one] sum= e
          }
        }
        for j < 8 {
          let f = exp(x[r, j])
          store y[r, j] = f / s[0]
        }
      }
    }`)
    expect(after(p.tabulate(scheduleOf(region), 'e', 'k', 'j'))).toMatchInlineSnapshot(`
      "
      for r < 4 {
        alloc register s: f32[1]
        store s[0] = 0.0
        alloc private e_t: f32[8]
        for e_t_0 < 8 {
          store e_t[e_t_0] = exp(x[r, e_t_0])
        }
        for one < 1 {
          for k < 8 {
            let e = e_t[k]
            accumulate s[one] sum= e
          }
        }
        for j < 8 {
          let f = e_t[j]
          store y[r, j] = f / s[0]
        }
      }
      "
    `)
  })

  test('hoistIf', () => {
    const s = of(
      'kernel f(read x: f32[8], read c: bool[1], write y: f32[8]) { for i < 8 { if c[0] { store y[i] = x[i] } else { store y[i] = 0.0 } } }',
    )
    expect(after(p.hoistIf(s, 'i'))).toMatchInlineSnapshot(`
      "
      if c[0] {
        for i < 8 {
          store y[i] = x[i]
        }
      } else {
        for i_else < 8 {
          store y[i_else] = 0.0
        }
      }
      "
    `)
  })
  test('partition', () => {
    const s = of(
      'kernel f(read x: f32[8], write y: f32[8]) { for i < 8 { store y[i] = (and(i32[i - 1] >= 0, i32[i + 1] < 8) ? x[i + 1] : 0.0) } }',
    )
    expect(after(p.partition(s, 'i'))).toMatchInlineSnapshot(`
      "
      for i_lo < 1 {
        store y[i_lo] = (and(i32[i_lo - 1] >= 0, i32[i_lo + 1] < 8) ? x[i_lo + 1] : 0.0)
      }
      for i < 6 {
        store y[i + 1] = (and(i32[i] >= 0, i32[i + 2] < 8) ? x[i + 2] : 0.0)
      }
      for i_hi < 1 {
        store y[i_hi + 7] = (and(i32[i_hi + 6] >= 0, i32[i_hi + 8] < 8) ? x[i_hi + 8] : 0.0)
      }
      "
    `)
  })
  test('layout', () => {
    const s = p.layout(matmul(), 'b', [{ dim: 1, part: 'block', by: 4 }, { dim: 0 }, { dim: 1, part: 'inside', by: 4 }])
    expect(printKernel(s.kernel)).toContain('read b: f32[2,5,4]')
    expect(printKernel(s.kernel)).toContain('b[acc_j // 4, acc_k, acc_j % 4]')
  })
  test('layout of a local buffer', () => {
    const s = p.layout(p.stage(matmul(), 'b', 'acc_i', { space: 'private' }), 'b_t', [
      { dim: 1, part: 'block', by: 3 },
      { dim: 0 },
      { dim: 1, part: 'inside', by: 3 },
    ])
    expect(printKernel(s.kernel)).toContain('alloc private b_t: f32[2,5,3]')
    expect(printKernel(s.kernel)).toContain('b_t[acc_j // 3, acc_k, acc_j % 3]')
    expect(s.layouts.size).toBe(0)
  })
  test('tensorize', () => {
    const s = scheduleOf(matmulRegion(4, 6, 5), { permits: 'reassociates' })
    expect(after(p.tensorize(s, 'acc_k', 'madd'))).toContain(
      'store acc[acc_i, acc_j] = madd!(a[acc_i, acc_k], b[acc_k, acc_j], acc[acc_i, acc_j])',
    )
  })
})

test('rfactor keeps partial results for each element that an axis inside chooses', () => {
  const region = matmulRegion(3, 8, 12)
  let s = p.split(scheduleOf(region, { permits: 'reassociates' }), 'acc_k', 4)
  s = p.reorder(s, 'acc_i', 'acc_k_i', 'acc_j', 'acc_k_o')
  s = p.rfactor(s, 'acc_k_i', 'acc_k_i', 'part')
  expect(printKernel(s.kernel)).toContain('alloc register part: f32[4,8]')
  expect(printKernel(s.kernel)).toContain('accumulate acc[acc_i, acc_j_join] sum= part[acc_k_i_join, acc_j_join]')
  expect(outputsOf(legalise(s.kernel), {})).toEqual(outputsOf(region.kernel, {}))
})

test('an error underlines the axis in the printed kernel', () => {
  let error: QuernError | undefined
  try {
    p.vectorize(p.split(rows(), 's_k', 4), 's_k_i')
  } catch (e) {
    if (isQuernError(e)) error = e
  }
  expect(error?.message).toMatchInlineSnapshot(`
    "[schedule/vectorize-dependence] iterations of s_k_i may meet: one accumulates into s[s_i], another accumulates into s[s_i]
       8 |   }
       9 |   for s_i < m {
      10 |     for s_k_o < 3 {
      11 |       for s_k_i < 4 {
         |           ^^^^^
      12 |         accumulate s[s_i] sum= x[s_i, s_k_i + 4*s_k_o]
      13 |       }
      14 |     }"
  `)
})
