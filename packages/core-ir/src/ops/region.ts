/** @file What one or more kernels will compute together. */
import type { TensorType } from '../graph/graph.ts'
import { defineOp } from './define-op.ts'
import { bodyMatches } from './bodies.ts'
import { regionKinds } from './region-kinds.ts'

export const region = defineOp({
  name: 'region',
  doc: 'A nested graph that becomes one or more kernels. Not differentiable: regions are marked after gradients are taken.',
  class: 'region',
  operands: ['...inputs'],
  attrs: {
    body: { kind: 'graph', doc: 'What is computed; its inputs are the operands in order.' },
    kind: { kind: 'string', default: 'elementwise', oneOf: regionKinds, doc: 'The family of schedules.' },
  },
  constraints: [bodyMatches('body', ({ inputs }: { readonly inputs: readonly TensorType[] }) => inputs)],
  infer: (_, { body }) => body.outputs.map(o => o.value.type),
  gradient: 'none',
  example: `graph example(%x: f32[2,3]) {
  %0 = region(%x, body=graph body(%a: f32[2,3]) {
    %0 = sin(%a) : f32[2,3]
    return y = %0
  }) : f32[2,3]
  return y = %0
}`,
})
