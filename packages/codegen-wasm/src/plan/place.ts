/** @file Where everything lives in the one memory: header, constants, states, arena. */
import { wasmHeader } from '@quern/artifact'
import {
  type LoweredProgram,
  type PlacedConstant,
  type PlacedState,
  type PlanBuffer,
  type StateDecl,
  alignBytes,
  storedOf,
} from '@quern/core-ir'
import { defect } from '../defect.ts'

export interface Placement {
  /** Byte address of each symbol's header word. */
  readonly symbols: ReadonlyMap<string, number>
  readonly constantsAt: number
  readonly statesAt: number
  readonly arenaAt: number
  readonly constants: readonly PlacedConstant[]
  readonly states: readonly PlacedState[]
  /** Bytes of the weights file: constants, then initial values of states. */
  readonly weightsBytes: number
  /** Byte address of a constant or a state. */
  fixed(buffer: PlanBuffer): number
}

export const place = (program: LoweredProgram, decls: readonly StateDecl[]): Placement => {
  const symbols = new Map<string, number>()
  for (const plan of program.plans)
    for (const s of plan.symbols) if (!symbols.has(s.name)) symbols.set(s.name, wasmHeader.symbols + 4 * symbols.size)
  const constantsAt = alignBytes(wasmHeader.symbols + 4 * symbols.size)
  const stored = storedOf(program, decls)
  const statesAt = constantsAt + stored.constantBytes
  let end = statesAt
  const take = (bytes: number): number => {
    const at = end
    end += alignBytes(bytes)
    return at
  }

  // Those with initial values come first, so that the weights file, copied to one place, sets them too.
  const ordered = [...stored.states].sort((a, b) => Number(b.data !== undefined) - Number(a.data !== undefined))
  let weightsEnd = statesAt
  const states = ordered.map((s): PlacedState => {
    const at = take(s.bytes)
    if (s.data !== undefined) weightsEnd = end
    return { ...s, at, init: s.data === undefined ? undefined : at - constantsAt }
  })

  const stateAt = new Map(states.map(s => [s.name, s.at]))
  return {
    symbols,
    constantsAt,
    statesAt,
    arenaAt: end,
    constants: stored.constants,
    states,
    weightsBytes: weightsEnd - constantsAt,
    fixed: b => {
      if (b.kind !== 'state') return stored.constantOf(b).at + constantsAt
      const at = stateAt.get(stored.stateNameOf(b))
      if (at === undefined) throw defect(`${b.name} has no place`)
      return at
    },
  }
}
