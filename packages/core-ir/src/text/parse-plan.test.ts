import { expect, test } from 'vitest'
import { printLowered } from '../plan/print.ts'
import { parseLowered } from './parse-plan.ts'

const text = `program digits {
  kernel scale<n: 1..64>(
    read x: f32[n],
    write y: f32[n],
  ) {
    for i < n {
      store y[i] = x[i] * 2.0
    }
  }
  plan main<n: 1..64 by 4, k: 0..64 upto n> {
    input x: f32[n] port "image"
    constant w: f32[5,6] layout [d1,d0 // 4,d0 % 4] in [6,2,4] strides [8,4,1] offset 2 data bytes("w.bin", 0, 120, "ab")
    constant one: i64[] data [1n]
    state cache: f16[n] port "cache"
    scratch t: f32[n]
    scratch v: f32[1,n] alias t
    scratch go: bool[]
    output y: f32[n] port "y"
    steps {
      kernel scale(x, t)
      copy t -> y
      define k = one
      loop i upto 2*n while go {
        kernel scale(x, y)
      }
      loop j upto buffer(one) {
        if go {
          kernel scale(x, y)
        } else {
          copy x -> y
        }
      }
      loop l {
      }
    }
    memory {
      slot s0: 4*n at 0 holds [t]
      slot s1: 64 at 4*n holds [go, "odd name"]
      place v in s0
      peak 4*n + 64
      bound 4*n
    }
  }
}`

test('a lowered program prints as it was written', () => {
  expect(printLowered(parseLowered(text))).toBe(text)
})
