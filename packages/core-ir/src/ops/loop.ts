/** @file A graph run again and again. */
import type { Graph, TensorType } from '../graph/graph.ts'
import { bodyMatches } from './bodies.ts'
import { defineOp } from './define-op.ts'
import { equalTypes } from './shapes.ts'
import { printTensorType } from '../graph/print-type.ts'

type Types = {
  readonly limit: TensorType | undefined
  readonly condition: TensorType | undefined
  readonly inputs: readonly TensorType[]
}
const trip: TensorType = { dtype: 'i32', shape: [] }
const going: TensorType = { dtype: 'bool', shape: [] }
const bodyInputs = ({ inputs }: Types): readonly TensorType[] => [trip, ...inputs]
const carriedOf = (body: Graph): readonly TensorType[] => body.outputs.slice(1).map(o => o.value.type)

export const loop = defineOp({
  name: 'loop',
  doc:
    'While the condition is true (always, where it is left out), but at most limit times, runs the body on the trip number, the carried values and the values that stay. ' +
    'It gives the next condition and the next carried values, whose last ones are the results. The first inputs are carried, as many as the body gives. Its gradient is a loop that runs backwards over what each trip started with, which is kept: limit must then be a constant.',
  class: 'control',
  operands: ['limit?', 'condition?', '...inputs'],
  attrs: { body: { kind: 'graph', doc: '(trip: i32[], carried…, staying…) → (condition: bool[], carried…)' } },
  constraints: [
    {
      id: 'limit-is-scalar',
      says: 'limit is an i32 or i64 scalar',
      holds: ({ limit }) => limit === undefined || (limit.shape.length === 0 && ['i32', 'i64'].includes(limit.dtype)),
    },
    {
      id: 'condition-is-scalar',
      says: 'condition is a bool scalar',
      holds: ({ condition }, _, context) => condition === undefined || equalTypes(condition, going, context),
    },
    bodyMatches('body', bodyInputs),
    {
      id: 'body-outputs',
      says: 'body gives a bool scalar, then values of the types of the carried inputs',
      holds: ({ inputs }, { body }, context) => {
        const [next] = body.outputs
        return (
          next !== undefined &&
          equalTypes(next.value.type, going, context) &&
          carriedOf(body).every((type, i) => {
            const input = inputs[i]
            return input !== undefined && equalTypes(type, input, context)
          })
        )
      },
      found: ({ inputs }, { body }) =>
        `it gives (${body.outputs.map(o => printTensorType(o.value.type)).join(', ')}) for (${inputs.map(printTensorType).join(', ')})`,
    },
  ],
  infer: (_, { body }) => carriedOf(body),
  gradient: 'by-graph',
  example: `graph example(%n: i32[], %x: f32[2,3]) {
  %0 = loop(%n, _, %x, body=graph body(%i: i32[], %a: f32[2,3]) {
    %go = constant(data=[1], dtype=bool) : bool[]
    %0 = sin(%a) : f32[2,3]
    return going = %go, x = %0
  }) : f32[2,3]
  return y = %0
}`,
})
