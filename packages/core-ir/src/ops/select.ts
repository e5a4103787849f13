/** @file Choice between two tensors, element by element. */
import { select as choose } from '../scalar/scalar.ts'
import { arithmetic } from './calculus.ts'
import { defineOp } from './define-op.ts'
import { dtypeIs, sameDTypes, sameShapes } from './shapes.ts'

export const select = defineOp({
  name: 'select',
  doc: 'Where the condition is true the first value, else the second.',
  class: 'injective',
  operands: ['condition', 'then', 'otherwise'],
  attrs: {},
  constraints: [
    dtypeIs('condition', 'bool'),
    sameDTypes('then', 'otherwise'),
    { ...sameShapes('then', 'otherwise'), id: 'same-value-shapes' },
    { ...sameShapes('condition', 'then'), id: 'condition-shape' },
  ],
  infer: ({ then }) => [then],
  compute: (out, { condition, then, otherwise }) => choose(condition.at(...out), then.at(...out), otherwise.at(...out)),
  gradient: ([g], { builder, operands: { condition } }) => {
    if (g === undefined) return {}
    const { select: pick } = arithmetic(builder)
    return { then: pick(condition, g, 0), otherwise: pick(condition, 0, g) }
  },
  example: `graph example(%c: bool[2,3], %a: f32[2,3], %b: f32[2,3]) {
  %0 = select(%c, %a, %b) : f32[2,3]
  return y = %0
}`,
})
