/** @file What ops with nested graphs ask of them. */
import { printTensorType } from '../graph/print-type.ts'
import type { Graph, TensorType } from '../graph/graph.ts'
import type { Constraint } from './define-op.ts'
import { equalTypes } from './shapes.ts'

const list = (types: readonly TensorType[]): string => `(${types.map(printTensorType).join(', ')})`

/** The inputs of the graph in attribute `name` have the types that `wanted` gives. */
export const bodyMatches = <O, const K extends string>(
  name: K,
  wanted: (operands: O) => readonly TensorType[],
): Constraint<O, { readonly [P in K]: Graph }> => ({
  id: `${name}-inputs`,
  says: `the inputs of ${name} have the types of the operands`,
  holds: (operands, attrs, context) => {
    const given = wanted(operands),
      inputs = attrs[name].inputs
    return (
      given.length === inputs.length &&
      inputs.every((x, i) => {
        const type = given[i]
        return type !== undefined && equalTypes(x.value.type, type, context)
      })
    )
  },
  found: (operands, attrs) =>
    `they are ${list(attrs[name].inputs.map(x => x.value.type))} for ${list(wanted(operands))}`,
})

/** The outputs of the graph in attribute `name` have the types that `wanted` gives. */
export const bodyGives = <O, A extends { readonly [P in K]: Graph }, const K extends string>(
  name: K,
  wanted: (operands: O, attrs: A) => readonly TensorType[],
  says: string,
): Constraint<O, A> => ({
  id: `${name}-outputs`,
  says,
  holds: (operands, attrs, context) => {
    const types = wanted(operands, attrs),
      outputs = attrs[name].outputs
    return (
      types.length === outputs.length &&
      outputs.every((o, i) => {
        const type = types[i]
        return type !== undefined && equalTypes(o.value.type, type, context)
      })
    )
  },
  found: (operands, attrs) =>
    `they are ${list(attrs[name].outputs.map(o => o.value.type))}, not ${list(wanted(operands, attrs))}`,
})
