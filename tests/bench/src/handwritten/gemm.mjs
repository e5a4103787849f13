/**
 * @file A matrix product as one would write it by hand, as WAT text: what our kernels are measured against.
 *
 * Register tiles of mr × nr over the whole depth. Groups of nc columns are packed into panels [nc / nr, k, nr] in scratch memory
 * (or the whole right-hand side comes packed), and blocks of mc rows pass each panel of a group in turn, so that what is read of
 * the left-hand side stays near. Sizes are constants; tiles divide blocks, and blocks divide sizes.
 */

const times = (count, write) => Array.from({ length: count }, (_, i) => write(i)).join('\n')
const get = name => `(local.get ${name})`
const grow = (pointer, bytes) => `(local.set ${pointer} (i32.add ${get(pointer)} (i32.const ${bytes})))`
const again = (label, count, limit) =>
  `(br_if ${label} (i32.lt_u (local.tee ${count} (i32.add ${get(count)} (i32.const 1))) (i32.const ${limit})))`

/**
 * `run(a, b, y, scratch)`.
 *
 * @param {{ m: number, n: number, k: number, mr: number, nr: number, nc?: number, mc?: number, packed?: boolean, madd?: boolean }} shape
 */
export const gemmWat = ({ m, n, k, mr, nr, nc = n, mc = m, packed = false, madd = false }) => {
  for (const [size, by] of [
    [m, mc],
    [mc, mr],
    [n, nc],
    [nc, nr],
  ])
    if (size % by !== 0) throw new Error(`${by} does not divide ${size}`)
  const vectors = nr / 4,
    panels = nc / nr
  const tile = write => times(mr, r => times(vectors, v => write(`$acc_${r}_${v}`, r, v)))
  const product = (acc, v) =>
    madd
      ? `(f32x4.relaxed_madd (local.get $s) (local.get $b_${v}) ${get(acc)})`
      : `(f32x4.add ${get(acc)} (f32x4.mul (local.get $s) (local.get $b_${v})))`

  const pack = `
    (local.set $from (local.get $b))
    (local.set $row (local.get $panels))
    (local.set $i (i32.const 0))
    (loop $pack
      ${times(panels, p => times(vectors, v => `(v128.store offset=${(p * k * nr + v * 4) * 4} (local.get $row) (v128.load offset=${(p * nr + v * 4) * 4} (local.get $from)))`))}
      ${grow('$from', n * 4)}
      ${grow('$row', nr * 4)}
      ${again('$pack', '$i', k)})
    ${grow('$b', nc * 4)}`

  return `(module
  (import "env" "memory" (memory 1))
  (func (export "run") (param $a i32) (param $b i32) (param $y i32) (param $panels i32)
    (local $group i32) (local $rows i32) (local $i i32) (local $j i32)
    (local $from i32) (local $panel i32) (local $row i32) (local $block i32) (local $left i32) (local $out i32) (local $end i32) (local $s v128)
    ${tile(acc => `(local ${acc} v128)`)}
    ${times(vectors, v => `(local $b_${v} v128)`)}
    ${packed ? '(local.set $panels (local.get $b))' : ''}
    (loop $groups
      ${packed ? '' : pack}
      (local.set $block (local.get $a))
      (local.set $rows (i32.const 0))
      (loop $blocks
        (local.set $panel (local.get $panels))
        (local.set $j (i32.const 0))
        (loop $columns
          (local.set $left (local.get $block))
          (local.set $i (i32.const 0))
          (loop $tiles
            (local.set $row (local.get $panel))
            ${tile(acc => `(local.set ${acc} (v128.const f32x4 0 0 0 0))`)}
            (local.set $end (i32.add (local.get $left) (i32.const ${k * 4})))
            (loop $depth
              ${times(vectors, v => `(local.set $b_${v} (v128.load offset=${v * 16} (local.get $row)))`)}
              ${times(mr, r => `(local.set $s (v128.load32_splat offset=${r * k * 4} (local.get $left)))\n${times(vectors, v => `(local.set $acc_${r}_${v} ${product(`$acc_${r}_${v}`, v)})`)}`)}
              ${grow('$row', nr * 4)}
              ${grow('$left', 4)}
              (br_if $depth (i32.lt_u (local.get $left) (local.get $end))))
            (local.set $out (i32.add (local.get $y)
              (i32.add (i32.mul (i32.add (i32.mul (local.get $rows) (i32.const ${mc})) (i32.mul (local.get $i) (i32.const ${mr}))) (i32.const ${n * 4}))
                       (i32.add (i32.mul (local.get $group) (i32.const ${nc * 4})) (i32.mul (local.get $j) (i32.const ${nr * 4}))))))
            ${tile((acc, r, v) => `(v128.store offset=${(r * n + v * 4) * 4} (local.get $out) ${get(acc)})`)}
            ${grow('$left', (mr - 1) * k * 4)}
            ${again('$tiles', '$i', mc / mr)})
          ${grow('$panel', k * nr * 4)}
          ${again('$columns', '$j', panels)})
        ${grow('$block', mc * k * 4)}
        ${again('$blocks', '$rows', m / mc)})
      ${packed ? grow('$panels', k * nc * 4) : ''}
      ${again('$groups', '$group', n / nc)})))`
}
