;; sin(x) + cos(x) over f32, for |x| < 1e4: reduction to [-π/4, π/4] in three parts (Cody and Waite), minimax polynomials of
;; Cephes (sinf.c, cosf.c), quadrant by selects. The loop one would write by hand; no care for huge arguments.
(module
  (import "env" "memory" (memory 1))
  (func (export "run") (param $x i32) (param $y i32) (param $n i32)
    (local $v v128) (local $k v128) (local $q v128) (local $r v128) (local $z v128) (local $s v128) (local $c v128) (local $odd v128) (local $end i32)
    (local.set $end (i32.add (local.get $x) (i32.shl (local.get $n) (i32.const 2))))
    (loop $l
      (local.set $v (v128.load (local.get $x)))
      (local.set $k (f32x4.nearest (f32x4.mul (local.get $v) (v128.const f32x4 0.6366197723675814 0.6366197723675814 0.6366197723675814 0.6366197723675814))))
      (local.set $q (i32x4.trunc_sat_f32x4_s (local.get $k)))
      (local.set $r (f32x4.sub (local.get $v) (f32x4.mul (local.get $k) (v128.const f32x4 1.5703125 1.5703125 1.5703125 1.5703125))))
      (local.set $r (f32x4.sub (local.get $r) (f32x4.mul (local.get $k) (v128.const f32x4 4.837512969970703125e-4 4.837512969970703125e-4 4.837512969970703125e-4 4.837512969970703125e-4))))
      (local.set $r (f32x4.sub (local.get $r) (f32x4.mul (local.get $k) (v128.const f32x4 7.549789948768648e-8 7.549789948768648e-8 7.549789948768648e-8 7.549789948768648e-8))))
      (local.set $z (f32x4.mul (local.get $r) (local.get $r)))
      (local.set $s (f32x4.add (f32x4.mul (local.get $z) (v128.const f32x4 -1.9515295891e-4 -1.9515295891e-4 -1.9515295891e-4 -1.9515295891e-4)) (v128.const f32x4 8.3321608736e-3 8.3321608736e-3 8.3321608736e-3 8.3321608736e-3)))
      (local.set $s (f32x4.add (f32x4.mul (local.get $s) (local.get $z)) (v128.const f32x4 -1.6666654611e-1 -1.6666654611e-1 -1.6666654611e-1 -1.6666654611e-1)))
      (local.set $s (f32x4.add (f32x4.mul (f32x4.mul (local.get $s) (local.get $z)) (local.get $r)) (local.get $r)))
      (local.set $c (f32x4.add (f32x4.mul (local.get $z) (v128.const f32x4 2.443315711809948e-5 2.443315711809948e-5 2.443315711809948e-5 2.443315711809948e-5)) (v128.const f32x4 -1.388731625493765e-3 -1.388731625493765e-3 -1.388731625493765e-3 -1.388731625493765e-3)))
      (local.set $c (f32x4.add (f32x4.mul (local.get $c) (local.get $z)) (v128.const f32x4 4.166664568298827e-2 4.166664568298827e-2 4.166664568298827e-2 4.166664568298827e-2)))
      (local.set $c (f32x4.add (f32x4.sub (f32x4.mul (f32x4.mul (local.get $c) (local.get $z)) (local.get $z)) (f32x4.mul (local.get $z) (v128.const f32x4 0.5 0.5 0.5 0.5))) (v128.const f32x4 1 1 1 1)))
      (local.set $odd (i32x4.ne (v128.and (local.get $q) (v128.const i32x4 1 1 1 1)) (v128.const i32x4 0 0 0 0)))
      (v128.store (local.get $y) (f32x4.add
        (v128.xor (v128.bitselect (local.get $c) (local.get $s) (local.get $odd)) (i32x4.shl (v128.and (local.get $q) (v128.const i32x4 2 2 2 2)) (i32.const 30)))
        (v128.xor (v128.bitselect (local.get $s) (local.get $c) (local.get $odd)) (i32x4.shl (v128.and (i32x4.add (local.get $q) (v128.const i32x4 1 1 1 1)) (v128.const i32x4 2 2 2 2)) (i32.const 30)))))
      (local.set $y (i32.add (local.get $y) (i32.const 16)))
      (br_if $l (i32.lt_u (local.tee $x (i32.add (local.get $x) (i32.const 16))) (local.get $end))))))
