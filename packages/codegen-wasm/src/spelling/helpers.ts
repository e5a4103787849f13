/** @file Functions that spell what takes more than a few instructions. A module holds those that its kernels use. */

const division = (bits: 32 | 64): Record<`${'div' | 'rem'}_${'i' | 'u'}${typeof bits}`, string> => {
  const t = `i${bits}`
  const head = (name: string): string => `(func $${name} (param $x ${t}) (param $y ${t}) (result ${t})`
  const guarded = (name: string, signed: string): string => `${head(name)}
  (if (${t}.eqz (local.get $y)) (then (return (${t}.const 0))))
  ${signed})`
  const minusOne = `(if (${t}.eq (local.get $y) (${t}.const -1)) (then (return (${t}.sub (${t}.const 0) (local.get $x)))))
  `
  const plain = (op: string): string => `(${t}.${op} (local.get $x) (local.get $y))`
  return {
    [`div_i${bits}`]: guarded(`div_i${bits}`, minusOne + plain('div_s')),
    [`div_u${bits}`]: guarded(`div_u${bits}`, plain('div_u')),
    [`rem_i${bits}`]: guarded(`rem_i${bits}`, plain('rem_s')),
    [`rem_u${bits}`]: guarded(`rem_u${bits}`, plain('rem_u')),
  } as Record<`${'div' | 'rem'}_${'i' | 'u'}${typeof bits}`, string>
}
const d32 = division(32),
  d64 = division(64)

export const helpers = {
  div_i32: d32.div_i32,
  div_u32: d32.div_u32,
  rem_i32: d32.rem_i32,
  rem_u32: d32.rem_u32,
  div_i64: d64.div_i64,
  div_u64: d64.div_u64,
  rem_i64: d64.rem_i64,
  rem_u64: d64.rem_u64,

  /** Floor division and the non-negative remainder of subscripts; a divisor of 0 occurs only where nothing is read. */
  floor_div: `(func $floor_div (param $x i32) (param $y i32) (result i32)
  (local $q i32)
  (if (i32.eqz (local.get $y)) (then (return (i32.const 0))))
  (local.set $q (i32.div_s (local.get $x) (local.get $y)))
  (i32.sub (local.get $q)
    (i32.and (i32.lt_s (local.get $x) (i32.const 0)) (i32.ne (i32.mul (local.get $q) (local.get $y)) (local.get $x)))))`,
  floor_mod: `(func $floor_mod (param $x i32) (param $y i32) (result i32)
  (local $r i32)
  (if (i32.eqz (local.get $y)) (then (return (i32.const 0))))
  (local.set $r (i32.rem_s (local.get $x) (local.get $y)))
  (select (i32.add (local.get $r) (local.get $y)) (local.get $r) (i32.lt_s (local.get $r) (i32.const 0))))`,

  /** The exact remainder by long division of the significands. */
  rem_f64: `(func $rem_f64 (param $x f64) (param $y f64) (result f64)
  (local $a f64) (local $b f64) (local $t f64)
  (local.set $a (f64.abs (local.get $x)))
  (local.set $b (f64.abs (local.get $y)))
  (if (i32.eqz (i32.and (f64.lt (local.get $a) (f64.const inf)) (f64.gt (local.get $b) (f64.const 0))))
    (then (return (f64.const nan))))
  (if (f64.lt (local.get $a) (local.get $b)) (then (return (local.get $x))))
  (block $done
    (loop $next
      (br_if $done (f64.lt (local.get $a) (local.get $b)))
      ;; the largest b·2^k that is not above a, by exponents; each step is exact
      (local.set $t (call $scale_to (local.get $b) (local.get $a)))
      (if (f64.gt (local.get $t) (local.get $a)) (then (local.set $t (f64.mul (local.get $t) (f64.const 0.5)))))
      (local.set $a (f64.sub (local.get $a) (local.get $t)))
      (br $next)))
  (f64.copysign (local.get $a) (local.get $x)))
;; b times the power of two that gives it the exponent of a
(func $scale_to (param $b f64) (param $a f64) (result f64)
  (local $e i64)
  ;; denormals: compare exponents after scaling both up
  (if (f64.lt (local.get $b) (f64.const 0x1p-1022))
    (then
      (if (f64.lt (local.get $a) (f64.const 0x1p-900))
        (then (return (f64.mul
          (call $scale_to (f64.mul (local.get $b) (f64.const 0x1p100)) (f64.mul (local.get $a) (f64.const 0x1p100)))
          (f64.const 0x1p-100)))))
      (return (call $scale_to (f64.mul (local.get $b) (f64.const 0x1p100)) (local.get $a)))))
  (local.set $e (i64.shr_u (i64.reinterpret_f64 (local.get $a)) (i64.const 52)))
  (f64.reinterpret_i64 (i64.or
    (i64.and (i64.reinterpret_f64 (local.get $b)) (i64.const 0xfffffffffffff))
    (i64.shl (local.get $e) (i64.const 52)))))`,

  /** The f16 nearest to x, ties to even, as an f32. */
  f16_round: `(func $f16_round (param $x f64) (result f32)
  (local $a f64) (local $u i64)
  (local.set $a (f64.abs (local.get $x)))
  (if (f64.lt (local.get $a) (f64.const 0x1p-14))
    (then
      ;; in this sum the last bit is worth 2^-24, the step of small f16
      (return (f32.demote_f64 (f64.copysign
        (f64.sub (f64.add (local.get $a) (f64.const 0x1p28)) (f64.const 0x1p28)) (local.get $x))))))
  (if (f64.ge (local.get $a) (f64.const 65520))
    (then (return (f32.copysign (f32.const inf) (f32.demote_f64 (local.get $x))))))
  (local.set $u (i64.reinterpret_f64 (local.get $a)))
  (local.set $u (i64.and (i64.const 0xfffffc0000000000) (i64.add (local.get $u) (i64.add
    (i64.const 0x1ffffffffff) (i64.and (i64.shr_u (local.get $u) (i64.const 42)) (i64.const 1))))))
  (if (f64.ne (local.get $x) (local.get $x)) (then (return (f32.const nan))))
  (f32.copysign (f32.demote_f64 (f64.reinterpret_i64 (local.get $u))) (f32.demote_f64 (local.get $x))))`,
  f16_round_lanes: `(func $f16_round_lanes (param $x v128) (result v128)
  (local $a v128) (local $r v128) (local $small v128)
  (local.set $a (f32x4.abs (local.get $x)))
  (local.set $r (v128.and (v128.const i32x4 0xffffe000 0xffffe000 0xffffe000 0xffffe000)
    (i32x4.add (local.get $a) (i32x4.add (v128.const i32x4 0xfff 0xfff 0xfff 0xfff)
      (v128.and (i32x4.shr_u (local.get $a) (i32.const 13)) (v128.const i32x4 1 1 1 1))))))
  (local.set $r (v128.bitselect (v128.const f32x4 inf inf inf inf) (local.get $r)
    (f32x4.ge (local.get $a) (v128.const f32x4 65520 65520 65520 65520))))
  (local.set $small (f32x4.sub (f32x4.add (local.get $a) (v128.const f32x4 0.5 0.5 0.5 0.5)) (v128.const f32x4 0.5 0.5 0.5 0.5)))
  (local.set $r (v128.bitselect (local.get $small) (local.get $r)
    (f32x4.lt (local.get $a) (v128.const f32x4 0x1p-14 0x1p-14 0x1p-14 0x1p-14))))
  (local.set $r (v128.bitselect (local.get $a) (local.get $r) (f32x4.ne (local.get $x) (local.get $x))))
  (v128.or (local.get $r) (v128.and (local.get $x) (v128.const i32x4 0x80000000 0x80000000 0x80000000 0x80000000))))`,

  /** 16 bits to the value: the fields moved into place, and the exponent rebased by an exact multiplication. */
  f16_value: `(func $f16_value (param $h i32) (result f32)
  (local $x f32)
  (local.set $x (f32.mul (f32.const 0x1p112)
    (f32.reinterpret_i32 (i32.shl (i32.and (local.get $h) (i32.const 0x7fff)) (i32.const 13)))))
  (if (i32.ge_u (i32.and (local.get $h) (i32.const 0x7fff)) (i32.const 0x7c00))
    (then (local.set $x (select (f32.const inf) (f32.const nan)
      (i32.eq (i32.and (local.get $h) (i32.const 0x7fff)) (i32.const 0x7c00))))))
  (f32.reinterpret_i32 (i32.or (i32.reinterpret_f32 (local.get $x))
    (i32.shl (i32.and (local.get $h) (i32.const 0x8000)) (i32.const 16)))))`,
  f16_value_lanes: `(func $f16_value_lanes (param $h v128) (result v128)
  (local $m v128) (local $x v128)
  (local.set $m (v128.and (local.get $h) (v128.const i32x4 0x7fff 0x7fff 0x7fff 0x7fff)))
  (local.set $x (f32x4.mul (i32x4.shl (local.get $m) (i32.const 13)) (v128.const f32x4 0x1p112 0x1p112 0x1p112 0x1p112)))
  (local.set $x (v128.or (local.get $x) (v128.and (v128.const f32x4 inf inf inf inf)
    (i32x4.ge_s (local.get $m) (v128.const i32x4 0x7c00 0x7c00 0x7c00 0x7c00)))))
  (v128.or (local.get $x) (i32x4.shl (v128.and (local.get $h) (v128.const i32x4 0x8000 0x8000 0x8000 0x8000)) (i32.const 16))))`,
  /** The value of an f16 to its 16 bits; exact, since it was rounded before. */
  f16_bits: `(func $f16_bits (param $x f32) (result i32)
  (local $a f32) (local $m i32)
  (local.set $a (f32.abs (local.get $x)))
  (local.set $m (i32.shr_u (i32.reinterpret_f32 (f32.mul (local.get $a) (f32.const 0x1p-112))) (i32.const 13)))
  (if (f32.eq (local.get $a) (f32.const inf)) (then (local.set $m (i32.const 0x7c00))))
  (if (f32.ne (local.get $a) (local.get $a)) (then (return (i32.const 0x7e00))))
  (i32.or (local.get $m) (i32.and (i32.shr_u (i32.reinterpret_f32 (local.get $x)) (i32.const 16)) (i32.const 0x8000))))`,
  f16_bits_lanes: `(func $f16_bits_lanes (param $x v128) (result v128)
  (local $a v128) (local $m v128)
  (local.set $a (f32x4.abs (local.get $x)))
  (local.set $m (i32x4.shr_u (f32x4.mul (local.get $a) (v128.const f32x4 0x1p-112 0x1p-112 0x1p-112 0x1p-112)) (i32.const 13)))
  (local.set $m (v128.bitselect (v128.const i32x4 0x7c00 0x7c00 0x7c00 0x7c00) (local.get $m)
    (f32x4.eq (local.get $a) (v128.const f32x4 inf inf inf inf))))
  (local.set $m (v128.or (local.get $m)
    (v128.and (i32x4.shr_u (local.get $x) (i32.const 16)) (v128.const i32x4 0x8000 0x8000 0x8000 0x8000))))
  (v128.bitselect (v128.const i32x4 0x7e00 0x7e00 0x7e00 0x7e00) (local.get $m) (f32x4.ne (local.get $a) (local.get $a))))`,
} as const satisfies Record<string, string>

export type HelperName = keyof typeof helpers
