/** @file Gradients of a graph's value. */
import { printTensorType } from '../graph/print-type.ts'
import type { Graph, TensorType } from '../graph/graph.ts'
import { isFloat } from '../scalar/scalar-ops.ts'
import { bodyMatches } from './bodies.ts'
import { type Constraint, defineOp } from './define-op.ts'

type Types = { readonly inputs: readonly TensorType[] }
type Attrs = { readonly body: Graph; readonly wrt: readonly number[] }

const valueOf = ({ body }: Attrs): TensorType | undefined => body.outputs[0]?.value.type
const foundValue = (_: Types, attrs: Attrs): string => {
  const type = valueOf(attrs)
  return type === undefined ? 'there is none' : `it is ${printTensorType(type)}`
}

const constraints: readonly Constraint<Types, Attrs>[] = [
  bodyMatches('body', ({ inputs }: Types) => inputs),
  {
    id: 'value-is-scalar',
    says: 'the first output of body, which is differentiated, to be a scalar (a sum or a mean makes one)',
    holds: (_, attrs) => valueOf(attrs)?.shape.length === 0,
    found: foundValue,
  },
  {
    id: 'value-is-float',
    says: 'the first output of body, which is differentiated, to be a float',
    holds: (_, attrs) => isFloat(valueOf(attrs)?.dtype ?? 'bool'),
    found: foundValue,
  },
  {
    id: 'wrt-in-range',
    says: 'wrt to name inputs of body, each once, by their position',
    holds: ({ inputs }, { wrt }) =>
      wrt.length > 0 && new Set(wrt).size === wrt.length && wrt.every(i => inputs[i] !== undefined),
    found: ({ inputs }, { wrt }) => `wrt is [${wrt.join(', ')}] of ${inputs.length} inputs`,
  },
  {
    id: 'wrt-is-float',
    says: 'the inputs that wrt names to be floats',
    holds: ({ inputs }, { wrt }) => wrt.every(i => isFloat(inputs[i]?.dtype ?? 'bool')),
    found: ({ inputs }, { wrt, body }) => {
      const at = wrt.find(i => !isFloat(inputs[i]?.dtype ?? 'bool')) ?? 0
      return `${body.inputs[at]?.name ?? `input ${at}`} is ${printTensorType(inputs[at] ?? { dtype: 'bool', shape: [] })}`
    },
  },
]

export const grad = defineOp({
  name: 'grad',
  doc:
    'The outputs of body, and then the gradients of the first of them with respect to the inputs that wrt names, in the order of wrt. ' +
    'A pass replaces it, before any other, by body and what carries gradients back through it; its own gradient is that of what it becomes.',
  class: 'control',
  operands: ['...inputs'],
  attrs: {
    body: { kind: 'graph', doc: 'What is differentiated: its first output, a float scalar. Others are handed out.' },
    wrt: { kind: 'ints', doc: 'Positions of the inputs whose gradients are wanted.' },
  },
  constraints,
  infer: ({ inputs }, { body, wrt }) => [...body.outputs.map(o => o.value.type), ...wrt.flatMap(i => inputs[i] ?? [])],
  gradient: 'by-graph',
  example: `graph example(%w: f32[3], %x: f32[3]) {
  %0, %1 = grad(%w, %x, body=graph body(%w: f32[3], %x: f32[3]) {
    %0 = mul(%w, %x) : f32[3]
    %1 = reduce-sum(%0, axes=[0]) : f32[]
    return value = %1
  }, wrt=[0]) : f32[], f32[3]
  return value = %0, w = %1
}`,
})
