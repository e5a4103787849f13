;; Copies n bytes, a multiple of 64: what this machine moves from memory to memory in wasm.
(module
  (import "env" "memory" (memory 1))
  (func (export "run") (param $from i32) (param $to i32) (param $n i32)
    (local $end i32)
    (local.set $end (i32.add (local.get $from) (local.get $n)))
    (loop $l
      (v128.store (local.get $to) (v128.load (local.get $from)))
      (v128.store offset=16 (local.get $to) (v128.load offset=16 (local.get $from)))
      (v128.store offset=32 (local.get $to) (v128.load offset=32 (local.get $from)))
      (v128.store offset=48 (local.get $to) (v128.load offset=48 (local.get $from)))
      (local.set $to (i32.add (local.get $to) (i32.const 64)))
      (br_if $l (i32.lt_u (local.tee $from (i32.add (local.get $from) (i32.const 64))) (local.get $end))))))
