/** @file One of two graphs, chosen at run time. */
import type { Graph, TensorType } from '../graph/graph.ts'
import { bodyGives, bodyMatches } from './bodies.ts'
import { defineOp } from './define-op.ts'
import { dtypeIs, rankIs } from './shapes.ts'

type Types = { readonly condition: TensorType; readonly inputs: readonly TensorType[] }
const inputsOf = ({ inputs }: Types): readonly TensorType[] => inputs

export const ifOp = defineOp({
  name: 'if',
  doc: 'Runs one graph where the condition is true, else the other; only that one runs. Its gradient is an if over the gradients of the graphs.',
  class: 'control',
  operands: ['condition', '...inputs'],
  attrs: {
    then: { kind: 'graph', doc: 'What runs where the condition is true; its inputs are the operands behind it.' },
    else: { kind: 'graph', doc: 'What runs where it is false; takes and gives the same.' },
  },
  constraints: [
    dtypeIs('condition', 'bool'),
    rankIs('condition', 0),
    bodyMatches('then', inputsOf),
    bodyMatches('else', inputsOf),
    bodyGives(
      'else',
      (_: Types, attrs: { readonly then: Graph; readonly else: Graph }) => attrs.then.outputs.map(o => o.value.type),
      'else has the outputs of then',
    ),
  ],
  infer: (_, { then }) => then.outputs.map(o => o.value.type),
  gradient: 'by-graph',
  example: `graph example(%c: bool[], %x: f32[2,3]) {
  %0 = if(%c, %x, then=graph then(%a: f32[2,3]) {
    %0 = sin(%a) : f32[2,3]
    return y = %0
  }, else=graph else(%a: f32[2,3]) {
    %0 = cos(%a) : f32[2,3]
    return y = %0
  }) : f32[2,3]
  return y = %0
}`,
})
