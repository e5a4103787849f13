/** @file A tiled contraction in the loop language: what its inner loop becomes, and that it is right. */
import { type Kernel, type Scalar, type Stmt, interpretKernel, ix, scalar } from '@quern/core-ir'
import { expect, test } from 'vitest'
import { emitWasm } from './emit-wasm.ts'
import { instantiate, programOf } from '../test-support/run-kernel.ts'

/** c[m,n] = a[m,k] · b, with b packed as [n / tileN, k, tileN] and a register tile of tileM × tileN. */
const tiled = (m: number, n: number, k: number, tileM: number, tileN: number): Kernel => {
  const load = (buffer: string, ...at: (ix.IndexLike | number)[]): Scalar =>
    scalar.load(buffer, 'f32', at.map(ix.toIndex))
  const row = ix.variable('i'),
    column = ix.variable('j'),
    depth = ix.variable('p')
  const rows = Array.from({ length: tileM }, (_, r) => r)
  const columns = Array.from({ length: tileN / 4 }, (_, c) => 4 * c)
  let lane = 0
  const each = (write: (r: number, c: ix.Index) => Stmt): Stmt[] =>
    rows.flatMap(r =>
      columns.map((c): Stmt => {
        const axis = `v${lane++}`
        return {
          kind: 'for',
          axis,
          extent: ix.constant(4),
          tag: 'vector',
          body: [write(r, ix.add(c, ix.variable(axis)))],
        }
      }),
    )
  const body: Stmt[] = [
    { kind: 'alloc', space: 'register', buffer: { name: 'acc', dtype: 'f32', shape: [tileM, tileN].map(ix.constant) } },
    ...each((r, c) => ({
      kind: 'store',
      buffer: 'acc',
      indices: [ix.constant(r), c],
      value: scalar.literal(0, 'f32'),
    })),
    {
      kind: 'for',
      axis: 'p',
      extent: ix.constant(k),
      tag: 'serial',
      body: each((r, c) => ({
        kind: 'accumulate',
        buffer: 'acc',
        indices: [ix.constant(r), c],
        reducer: 'sum',
        value: scalar.binary('mul', load('a', ix.add(ix.mul(row, tileM), r), depth), load('b', column, depth, c)),
      })),
    },
    ...each((r, c) => ({
      kind: 'store',
      buffer: 'c',
      indices: [ix.add(ix.mul(row, tileM), r), ix.add(ix.mul(column, tileN), c)],
      value: load('acc', r, c),
    })),
  ]
  const nest = (axis: string, extent: number, inner: readonly Stmt[]): Stmt => ({
    kind: 'for',
    axis,
    extent: ix.constant(extent),
    tag: 'serial',
    body: inner,
  })
  return {
    name: 'tiled',
    symbols: [],
    params: [
      { name: 'a', dtype: 'f32', shape: [m, k].map(ix.constant), access: 'read' },
      { name: 'b', dtype: 'f32', shape: [n / tileN, k, tileN].map(ix.constant), access: 'read' },
      { name: 'c', dtype: 'f32', shape: [m, n].map(ix.constant), access: 'write' },
    ],
    body: [nest('j', n / tileN, [nest('i', m / tileM, body)])],
    origins: [{ file: 'model.ts', line: 4, column: 12, name: 'logits' }],
  }
}

test('the inner loop loads, multiplies, adds and advances addresses, and does nothing else', () => {
  const { wat } = emitWasm(programOf(tiled(512, 512, 512, 2, 16)), { threads: false, relaxed: false })
  expect(wat.slice(wat.indexOf(';; tiled'), wat.indexOf(';; plan'))).toMatchInlineSnapshot(`
    ";; tiled(a: f32, b: f32, c: f32)
      ;; model.ts:4:12 logits
      (func $tiled (param $a i32) (param $b i32) (param $c i32)
        (local $acc_0 v128) (local $acc_1 v128) (local $acc_2 v128) (local $acc_3 v128) (local $acc_4 v128) (local $acc_5 v128) (local $acc_6 v128) (local $acc_7 v128) (local $t v128) (local $t_1 v128) (local $t_2 v128) (local $t_3 v128) (local $t_4 v128) (local $t_5 v128)
        (local $j i32) (local $i i32) (local $a_at i32) (local $a_ptr i32) (local $b_at i32) (local $b_ptr i32) (local $end i32) (local $c_at i32) (local $c_at_1 i32)
        (local.set $j (i32.const 0))
        (loop $j
          (local.set $b_at (i32.add (local.get $b) (i32.shl (local.get $j) (i32.const 15))))
          (local.set $c_at (i32.add (local.get $c) (i32.shl (local.get $j) (i32.const 6))))
          (local.set $i (i32.const 0))
          (loop $i
            (local.set $a_at (i32.add (local.get $a) (i32.shl (local.get $i) (i32.const 12))))
            (local.set $c_at_1 (i32.add (local.get $c_at) (i32.shl (local.get $i) (i32.const 12))))
            (local.set $acc_0 (v128.const f32x4 0 0 0 0))
            (local.set $acc_1 (v128.const f32x4 0 0 0 0))
            (local.set $acc_2 (v128.const f32x4 0 0 0 0))
            (local.set $acc_3 (v128.const f32x4 0 0 0 0))
            (local.set $acc_4 (v128.const f32x4 0 0 0 0))
            (local.set $acc_5 (v128.const f32x4 0 0 0 0))
            (local.set $acc_6 (v128.const f32x4 0 0 0 0))
            (local.set $acc_7 (v128.const f32x4 0 0 0 0))
            (local.set $a_ptr (local.get $a_at))
            (local.set $b_ptr (local.get $b_at))
            (local.set $end (i32.add (local.get $a_ptr) (i32.const 2048)))
            (loop $p
              (local.set $t (v128.load32_splat (local.get $a_ptr)))
              (local.set $t_1 (v128.load (local.get $b_ptr)))
              (local.set $acc_0 (f32x4.add (local.get $acc_0) (f32x4.mul (local.get $t) (local.get $t_1))))
              (local.set $t_2 (v128.load offset=16 (local.get $b_ptr)))
              (local.set $acc_1 (f32x4.add (local.get $acc_1) (f32x4.mul (local.get $t) (local.get $t_2))))
              (local.set $t_3 (v128.load offset=32 (local.get $b_ptr)))
              (local.set $acc_2 (f32x4.add (local.get $acc_2) (f32x4.mul (local.get $t) (local.get $t_3))))
              (local.set $t_4 (v128.load offset=48 (local.get $b_ptr)))
              (local.set $acc_3 (f32x4.add (local.get $acc_3) (f32x4.mul (local.get $t) (local.get $t_4))))
              (local.set $t_5 (v128.load32_splat offset=2048 (local.get $a_ptr)))
              (local.set $acc_4 (f32x4.add (local.get $acc_4) (f32x4.mul (local.get $t_5) (local.get $t_1))))
              (local.set $acc_5 (f32x4.add (local.get $acc_5) (f32x4.mul (local.get $t_5) (local.get $t_2))))
              (local.set $acc_6 (f32x4.add (local.get $acc_6) (f32x4.mul (local.get $t_5) (local.get $t_3))))
              (local.set $acc_7 (f32x4.add (local.get $acc_7) (f32x4.mul (local.get $t_5) (local.get $t_4))))
              (local.set $a_ptr (i32.add (local.get $a_ptr) (i32.const 4)))
              (local.set $b_ptr (i32.add (local.get $b_ptr) (i32.const 64)))
              (br_if $p (i32.ne (local.get $a_ptr) (local.get $end)))
            )
            (v128.store (local.get $c_at_1) (local.get $acc_0))
            (v128.store offset=16 (local.get $c_at_1) (local.get $acc_1))
            (v128.store offset=32 (local.get $c_at_1) (local.get $acc_2))
            (v128.store offset=48 (local.get $c_at_1) (local.get $acc_3))
            (v128.store offset=2048 (local.get $c_at_1) (local.get $acc_4))
            (v128.store offset=2064 (local.get $c_at_1) (local.get $acc_5))
            (v128.store offset=2080 (local.get $c_at_1) (local.get $acc_6))
            (v128.store offset=2096 (local.get $c_at_1) (local.get $acc_7))
            (br_if $i (i32.lt_s (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 256)))
          )
          (br_if $j (i32.lt_s (local.tee $j (i32.add (local.get $j) (i32.const 1))) (i32.const 32)))
        )
      )

      "
  `)
})

test.each([
  [2, 16],
  [4, 8],
  [3, 4],
  [6, 12],
])('a register tile of %i × %i', async (tileM, tileN) => {
  const [m, n, k] = [tileM * 3, tileN * 2, 37]
  const kernel = tiled(m, n, k, tileM, tileN)
  const arrays = () => ({
    a: Float32Array.from({ length: m * k }, (_, i) => Math.sin(i)),
    b: Float32Array.from({ length: n * k }, (_, i) => Math.cos(i)),
    c: new Float32Array(m * n),
  })
  const found = arrays(),
    wanted = arrays()
  ;(await instantiate(programOf(kernel))).run(found)
  interpretKernel(kernel, { buffers: wanted, symbols: {} })
  expect(found.c).toEqual(wanted.c)
})
