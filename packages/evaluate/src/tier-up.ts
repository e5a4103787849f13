/**
 * @file When V8 optimises functions, while a thread compiles a model.
 *
 * V8 11 (Node 20) hands a function to its optimising compiler after 66 KiB of executed bytecode. A compilation is over in a second
 * or two, and meets most kinds of loops, statements and indices late in it: half of some 200 optimised functions were thrown away
 * again because something of another shape came by. With six times the budget, compiling digits took 0.93 s where it took 1.50, and
 * MobileNetV2 3.9 where it took 5.3. V8 12 (Node 22) counts calls instead, and gained 15 % from 10,000 of them; later ones have a
 * middle tier, and keep their own. V8's flags belong to the process, not to a thread, so V8's default is put back after each
 * compilation (a thread that is ended before leaves what only delays optimisation).
 */
import { setFlagsFromString } from 'node:v8'

interface Patience {
  readonly while: string
  /** V8's own default. */
  readonly after: string
}

/** By the major version of V8. */
const patience: ReadonlyMap<string, Patience> = new Map([
  ['11', { while: '--interrupt-budget=400000', after: '--interrupt-budget=67584' }],
  ['12', { while: '--invocation-count-for-turbofan=10000', after: '--invocation-count-for-turbofan=3000' }],
])

/** Runs `work` in a V8 that optimises late. Nothing changes where the version is none that was measured. */
export const optimisedLate = async <T>(work: () => Promise<T>, v8 = process.versions.v8): Promise<T> => {
  const flags = patience.get(v8.split('.')[0] ?? '')
  if (flags !== undefined) setFlagsFromString(flags.while)
  try {
    return await work()
  } finally {
    if (flags !== undefined) setFlagsFromString(flags.after)
  }
}
