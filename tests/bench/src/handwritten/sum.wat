;; Adds n bytes of f32, a multiple of 64: what this machine reads from memory in wasm.
(module
  (import "env" "memory" (memory 1))
  (func (export "run") (param $from i32) (param $n i32) (result f32)
    (local $end i32) (local $0 v128) (local $1 v128) (local $2 v128) (local $3 v128)
    (local.set $end (i32.add (local.get $from) (local.get $n)))
    (loop $l
      (local.set $0 (f32x4.add (local.get $0) (v128.load (local.get $from))))
      (local.set $1 (f32x4.add (local.get $1) (v128.load offset=16 (local.get $from))))
      (local.set $2 (f32x4.add (local.get $2) (v128.load offset=32 (local.get $from))))
      (local.set $3 (f32x4.add (local.get $3) (v128.load offset=48 (local.get $from))))
      (br_if $l (i32.lt_u (local.tee $from (i32.add (local.get $from) (i32.const 64))) (local.get $end))))
    (f32x4.extract_lane 0 (f32x4.add (f32x4.add (local.get $0) (local.get $1)) (f32x4.add (local.get $2) (local.get $3))))))
