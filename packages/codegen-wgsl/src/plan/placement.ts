/** @file Where a program's buffers are on the device: constants in the weights file, states, and one buffer for each slot. */
import { QuernError, bytesOf } from '@quern/artifact'
import {
  type Index,
  type LoweredProgram,
  type PlacedConstant,
  type PlacedState,
  type Plan,
  type PlanBuffer,
  type StateDecl,
  alignBytes,
  ix,
  spanOf,
  storedOf,
} from '@quern/core-ir'
import { packedBits } from '../spelling/types.ts'

export interface Placement {
  readonly constants: readonly PlacedConstant[]
  readonly states: readonly PlacedState[]
  /** Bytes of the weights file: constants, then initial values of states. */
  readonly weightsBytes: number
  constantOf(buffer: PlanBuffer): PlacedConstant
  stateOf(buffer: PlanBuffer): PlacedState
}

const defect = (message: string): QuernError => new QuernError('internal/plan', message)

/** Narrow elements share words in constants and states; slots hold one a word. */
export const isPacked = (root: PlanBuffer, f16: boolean): boolean =>
  (root.kind === 'constant' || root.kind === 'state') && packedBits(root.dtype, f16) !== undefined

/** Bytes of a buffer on the device, over symbols, before rounding. */
export const deviceBytes = (buffer: PlanBuffer, packed: boolean, f16: boolean): Index => {
  const native = packed || packedBits(buffer.dtype, f16) === undefined
  return ix.mul(spanOf(buffer.layout), native ? bytesOf[buffer.dtype] : 4)
}

/** The buffer whose memory a view shares. */
export const rootOf = (plan: Plan, name: string): PlanBuffer => {
  const found = plan.buffers.find(b => b.name === name)
  if (found === undefined) throw defect(`plan ${plan.entry} has no buffer ${name}`)
  return found.aliasOf === undefined ? found : rootOf(plan, found.aliasOf)
}

export const place = (program: LoweredProgram, decls: readonly StateDecl[]): Placement => {
  const stored = storedOf(program, decls)
  let end = stored.constantBytes
  const states = stored.states.map((s, at): PlacedState => {
    if (s.data === undefined) return { ...s, at, init: undefined }
    const init = end
    end += alignBytes(s.bytes)
    return { ...s, at, init }
  })
  return {
    constants: stored.constants,
    states,
    weightsBytes: end,
    constantOf: stored.constantOf,
    stateOf: buffer => {
      const found = states.find(s => s.name === stored.stateNameOf(buffer))
      if (found === undefined) throw defect(`state ${buffer.name} has no place`)
      return found
    },
  }
}
