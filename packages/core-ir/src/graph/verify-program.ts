/** @file Checks a program: states declared once, and read and updated by every entry under the type that they have. */
import { QuernError } from '@quern/artifact'
import { type Graph, type ProgramGraph, type StateDecl, type TensorType, statePrefix } from './graph.ts'
import { printTensorType } from './print-type.ts'
import { provesEqual } from './symbol-ranges.ts'
import { verifyGraph } from './verify.ts'

/** Throws an error at the first finding; what it says of graphs is {@link verifyGraph}. */
export const verifyProgram = (program: ProgramGraph): void => {
  verifyStates(program)
  for (const graph of program.entries.values()) verifyGraph(graph)
}

/**
 * A state's memory is as large as its declaration says: an entry that writes another type into it would write over its
 * neighbours. Cheap, so every compilation begins with it.
 */
export const verifyStates = ({ name, entries, states }: ProgramGraph): void => {
  const declared = new Map<string, StateDecl>()
  for (const state of states) {
    if (declared.has(state.name))
      throw new QuernError('graph/state-declared-twice', `${name} declares the state ${state.name} twice`, {
        state: state.name,
      })
    declared.set(state.name, state)
  }
  for (const [entry, graph] of entries)
    for (const [role, port] of [
      ...graph.inputs.map(input => ['reads', input] as const),
      ...graph.outputs.map(output => ['updates', output] as const),
    ]) {
      if (!port.name.startsWith(statePrefix)) continue
      const state = port.name.slice(statePrefix.length)
      const declaration = declared.get(state)
      if (declaration === undefined)
        throw new QuernError(
          'graph/undeclared-state',
          `${entry} ${role} the state ${state}, which ${name} does not declare`,
          {
            state,
            entry,
          },
        )
      if (!sameType(port.value.type, declaration.type, graph))
        throw new QuernError(
          'graph/state-type-agrees',
          `the state ${state} is ${printTensorType(declaration.type)}, and ${entry} ${role} it as ${printTensorType(port.value.type)}`,
          { state, entry, origin: port.value.node?.origin },
        )
    }
}

const sameType = (a: TensorType, b: TensorType, graph: Graph): boolean =>
  a.dtype === b.dtype &&
  a.shape.length === b.shape.length &&
  a.shape.every((d, i) => provesEqual(d, b.shape[i] ?? -1, graph.symbols))
