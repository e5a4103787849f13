/** @file Ops that are differentiated by their own rule, and those that are not differentiable. */
import { QuernError } from '@quern/artifact'
import type { Value } from '../graph/graph.ts'
import { copyNode } from '../graph/transform.ts'
import type { AnyOp } from '../ops/define-op.ts'
import { bindOperands } from '../ops/operands.ts'
import { opNamed } from '../ops/registry.ts'
import { isFloat } from '../scalar/scalar-ops.ts'
import { type Follow, valuesOf } from './tape.ts'

type Rule = Extract<AnyOp['gradient'], (...args: never) => unknown>

export const followRule =
  (rule: Rule): Follow =>
  ({ builder, steps }, node, operands) => {
    const values = valuesOf(operands)
    const results = copyNode(node, values, builder)
    const tracked = results.map(value => ({ value, active: isFloat(value.type.dtype) }))
    if (tracked.every(r => !r.active)) return tracked
    const op = opNamed(node.op)
    steps.push({
      origin: builder.origin,
      operands,
      results: tracked,
      pull: grads => byPosition(op, rule(grads, { builder, operands: bindOperands(op, values), results }, node.attrs)),
    })
    return tracked
  }

/** What a rule gave by name, in the order of the operands. */
const byPosition = (op: AnyOp, grads: ReturnType<Rule>): readonly (Value | undefined)[] =>
  op.operands.flatMap((name): readonly (Value | undefined)[] => {
    const given = grads[name.replace(/^\.\.\.|\?$/g, '')]
    return isList(given) ? given : [given]
  })
const isList = (x: Value | readonly Value[] | undefined): x is readonly Value[] => Array.isArray(x)

/** What has no numbers as its result has no gradient to give; the rest would give a wrong one in silence. */
export const refuse: Follow = ({ builder, steps }, node, operands) => {
  const results = copyNode(node, valuesOf(operands), builder)
  const tracked = results.map(value => ({ value, active: isFloat(value.type.dtype) }))
  if (tracked.every(r => !r.active)) return tracked
  const { origin } = builder
  steps.push({
    origin,
    operands,
    results: tracked,
    pull: () => {
      throw new QuernError(
        'grad/not-differentiable',
        `${node.op} has no gradient, and one is wanted through it: ${reasonOf(opNamed(node.op))} Put stopGradient around it where it should count as constant`,
        { op: node.op, origin },
      )
    },
  })
  return tracked
}

const reasonOf = ({ doc }: AnyOp): string => {
  const [, reason = 'it is not differentiable.'] = /Not differentiable: (.*)$/.exec(doc) ?? []
  return reason
}
