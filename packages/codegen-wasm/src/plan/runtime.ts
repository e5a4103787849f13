/** @file The functions that kernels and plans share: recording a failure, meeting the team, and telling the time of a step. */
import { wasmHeader } from '@quern/artifact'

export type RuntimeFunction = 'barrier' | 'fail' | 'tick' | 'tick_team'

/** How often a member looks before it sleeps: some microseconds, less than a wake-up costs. */
const spins = 4000
/** A sleeper looks at the abort word at least this often, in nanoseconds. */
const napNanoseconds = 20_000_000

const at = (word: keyof typeof wasmHeader): string => `(i32.const ${wasmHeader[word]})`

/** Keeps the first failure of a run. */
const fail = (threads: boolean): string =>
  threads
    ? `(func $fail (param $code i32) (param $at i32)
  (if (i32.eqz (i32.atomic.rmw.cmpxchg ${at('status')} (i32.const 0) (local.get $code)))
    (then (i32.atomic.store ${at('statusIndex')} (local.get $at)))))`
    : `(func $fail (param $code i32) (param $at i32)
  (if (i32.eqz (i32.load ${at('status')}))
    (then
      (i32.store ${at('status')} (local.get $code))
      (i32.store ${at('statusIndex')} (local.get $at)))))`

/**
 * Waits until all members are here. The last one starts a new epoch; the others spin briefly, then sleep until the
 * epoch changes. Returns 1 if the run was aborted.
 */
const barrier = `(func $barrier (param $team i32) (result i32)
  (local $epoch i32) (local $spins i32)
  (local.set $epoch (i32.atomic.load ${at('barrierEpoch')}))
  (if (i32.eq (i32.atomic.rmw.add ${at('barrierCount')} (i32.const 1)) (i32.sub (local.get $team) (i32.const 1)))
    (then
      (i32.atomic.store ${at('barrierCount')} (i32.const 0))
      (drop (i32.atomic.rmw.add ${at('barrierEpoch')} (i32.const 1)))
      (drop (memory.atomic.notify ${at('barrierEpoch')} (i32.const -1)))
      (return (i32.ne (i32.atomic.load ${at('abort')}) (i32.const 0)))))
  (loop $wait
    (if (i32.ne (i32.atomic.load ${at('barrierEpoch')}) (local.get $epoch))
      (then (return (i32.ne (i32.atomic.load ${at('abort')}) (i32.const 0)))))
    (if (i32.atomic.load ${at('abort')}) (then (return (i32.const 1))))
    (if (i32.lt_u (local.get $spins) (i32.const ${spins}))
      (then
        (local.set $spins (i32.add (local.get $spins) (i32.const 1)))
        (br $wait)))
    (drop (memory.atomic.wait32 ${at('barrierEpoch')} (local.get $epoch) (i64.const ${napNanoseconds})))
    (br $wait))
  (unreachable))`

const tick = `(func $tick (param $step i32)
  (if (i32.load ${at('profile')}) (then (call $clock (local.get $step)))))`

/** A step has ended when all members have: who was aborted finds out at the plan's next barrier. */
const tickTeam = `(func $tick_team (param $step i32) (param $thread i32) (param $team i32)
  (if (i32.load ${at('profile')})
    (then
      (drop (call $barrier (local.get $team)))
      (if (i32.eqz (local.get $thread)) (then (call $clock (local.get $step)))))))`

export const runtimeFunction = (name: RuntimeFunction, threads: boolean): string => {
  switch (name) {
    case 'fail':
      return fail(threads)
    case 'barrier':
      return barrier
    case 'tick':
      return tick
    case 'tick_team':
      return tickTeam
  }
}
