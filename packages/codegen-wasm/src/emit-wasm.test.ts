import { parseKernel } from '@quern/core-ir'
import { expect, test } from 'vitest'
import { assemble } from './assemble.ts'
import { emitWasm } from './emit-wasm.ts'
import { instantiate, programOf } from '../test-support/run-kernel.ts'

const axpy = parseKernel(`kernel axpy<n: 1..>(
  read x: f32[n],
  read s: f32[1],
  write y: f32[n],
) {
  // model.ts:3:9
  for serial y_i < (n + 3) // 4 {
    for vector y_v < 4 {
      store y[4*y_i + y_v] = x[4*y_i + y_v] * s[0] + 1.5
    }
  }
}`)

test('a flat vector loop', async () => {
  expect(emitWasm(programOf(axpy), { threads: false, relaxed: false }).wat).toMatchInlineSnapshot(`
    "(module
      (import "env" "memory" (memory $memory 1))

      ;; axpy(x: f32, s: f32, y: f32)
      ;; model.ts:3:9
      (func $axpy (param $x i32) (param $s i32) (param $y i32) (param $n i32)
        (local $t i32) (local $x_ptr i32) (local $y_ptr i32) (local $end i32)
        (local $t_1 v128) (local $k v128)
        (local.set $t (i32.shr_s (i32.add (local.get $n) (i32.const 3)) (i32.const 2)))
        (local.set $k (v128.const f32x4 1.5 1.5 1.5 1.5))
        (local.set $x_ptr (local.get $x))
        (local.set $y_ptr (local.get $y))
        (local.set $end (i32.add (local.get $x_ptr) (i32.shl (local.get $t) (i32.const 4))))
        (local.set $t_1 (v128.load32_splat (local.get $s)))
        (loop $y_i
          (v128.store (local.get $y_ptr) (f32x4.add (f32x4.mul (v128.load (local.get $x_ptr)) (local.get $t_1)) (local.get $k)))
          (local.set $x_ptr (i32.add (local.get $x_ptr) (i32.const 16)))
          (local.set $y_ptr (i32.add (local.get $y_ptr) (i32.const 16)))
          (br_if $y_i (i32.ne (local.get $x_ptr) (local.get $end)))
        )
      )

      ;; plan main
      (func $main (export "main") (param $thread i32) (result i32)
        (local $n i32) (local $s i32) (local $at i32) (local $t i32) (local $at_1 i32) (local $y i32) (local $at_2 i32) (local $t_1 i32) (local $at_3 i32)
        (i32.store (i32.const 4) (i32.const 0))
        (i32.store (i32.const 8) (i32.const 0))
        (local.set $n (i32.load (i32.const 64)))
        (local.set $at (i32.shl (local.get $n) (i32.const 2)))
        (local.set $t (i32.shr_s (i32.add (local.get $at) (i32.const 63)) (i32.const 6)))
        (local.set $at_1 (i32.shl (local.get $t) (i32.const 6)))
        (local.set $s (i32.add (local.get $at_1) (i32.const 128)))
        (local.set $at_2 (i32.shl (local.get $n) (i32.const 2)))
        (local.set $t_1 (i32.shr_s (i32.add (local.get $at_2) (i32.const 63)) (i32.const 6)))
        (local.set $at_3 (i32.shl (local.get $t_1) (i32.const 6)))
        (local.set $y (i32.add (local.get $at_3) (i32.const 192)))
        (call $axpy (i32.const 128) (local.get $s) (local.get $y) (local.get $n))
        (i32.load (i32.const 4))
      )
    )
    "
  `)
  const wasm = await instantiate(programOf(axpy))
  for (const n of [1, 5, 64]) {
    const x = Float32Array.from({ length: n }, (_, i) => i / 3)
    const y = new Float32Array(n)
    expect(wasm.run({ x, s: new Float32Array([2]), y }, { n })).toEqual([0, 0])
    expect(y).toEqual(x.map(v => Math.fround(v * 2) + 1.5))
  }
})

const fused = parseKernel(`kernel fused<n: 1..>(
  read x: f32[n],
  read_write y: f32[n],
) {
  for serial i < n // 4 {
    for vector v < 4 {
      store y[4*i + v] = madd!(x[4*i + v], x[0], y[4*i + v]):f32
    }
  }
  for serial r < n % 4 {
    store y[n - n % 4 + r] = madd!(x[n - n % 4 + r], x[0], y[n - n % 4 + r]):f32
  }
}`)

test.each([false, true])('multiply and add, relaxed: %s', async relaxed => {
  const { wat } = emitWasm(programOf(fused), { threads: false, relaxed })
  expect(wat.includes('f32x4.relaxed_madd')).toBe(relaxed)
  expect((await assemble(wat, { threads: false, relaxed })).byteLength).toBeGreaterThan(0)
  if (relaxed) return
  const wasm = await instantiate(programOf(fused))
  const x = Float32Array.from({ length: 7 }, (_, i) => i + 1.5),
    y = x.map(v => v * 2)
  wasm.run({ x, y }, { n: 7 })
  expect(y).toEqual(x.map(v => v * 1.5 + v * 2))
})

test('a module holds the helpers and memory that its kernels use, and nothing else', () => {
  const of = (expression: string, dtype: string): string =>
    emitWasm(
      programOf(
        parseKernel(`kernel k(read x: ${dtype}[4], write y: ${dtype}[4]) { for i < 4 { store y[i] = ${expression} } }`),
      ),
      {
        threads: false,
        relaxed: false,
      },
    ).wat
  const functions = (wat: string): string[] => [...wat.matchAll(/\(func (\$\w+)/g)].map(m => m[1] ?? '')
  expect(functions(of('x[i] + x[0]', 'f32'))).toEqual(['$k', '$main'])
  expect(functions(of('x[i] / x[0]', 'i32'))).toEqual(['$k', '$main', '$div_i32'])
  expect(functions(of('x[i] / 3', 'i32'))).toEqual(['$k', '$main'])
  expect(functions(of('x[i] + x[0]', 'f16'))).toEqual(['$k', '$main', '$f16_value', '$f16_round', '$f16_bits'])
})
