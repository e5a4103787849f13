/** @file What a team needs for a scheduled kernel: the longest share of each axis that it splits. */
import type { Kernel } from '@quern/core-ir'
import type { TargetInfo } from '../target/target-info.ts'
import { coreTime } from './core-time.ts'
import { type Sizes, roundsOf } from './sizes.ts'

/** Teams that a kernel may meet: how many cores a device gives is known when it runs. */
const teams = [2, 4, 8]

/** A team's time beside that of one member, split evenly: 1 where no member waits, 2 where two of them do the work of one. */
const unevenness = (rounds: number): number =>
  teams.reduce((sum, members) => sum + (members * Math.ceil(rounds / members)) / Math.max(1, rounds), 0) / teams.length

/** Cycles of one core, times what uneven shares cost a team, on the average of several teams. */
export const teamCycles = (kernel: Kernel, sizes: Sizes, target: TargetInfo): number =>
  kernel.body.reduce((sum, s) => {
    const { cycles } = coreTime({ ...kernel, body: [s] }, sizes, target)
    // What no one shares, every member does.
    const uneven = s.kind === 'for' && s.tag === 'parallel' ? unevenness(roundsOf(s, sizes)) : unevenness(1)
    return sum + cycles * uneven
  }, 0)

/** Whether shares are about even for every team. */
export const sharesEvenly = (kernel: Kernel, sizes: Sizes): boolean =>
  kernel.body.every(s => s.kind !== 'for' || (s.tag === 'parallel' && unevenness(roundsOf(s, sizes)) <= 1.1))
