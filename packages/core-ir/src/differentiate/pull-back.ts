/**
 * @file Reverse-mode differentiation of a graph: forward through its nodes in order, noting a step for each through which
 * gradients will flow, then back through the steps. A gradient that is zero is absent, never a tensor of zeros.
 */
import { GraphBuilder } from '../graph/builder.ts'
import type { Graph, Value } from '../graph/graph.ts'
import { copyNode } from '../graph/transform.ts'
import type { AnyOp } from '../ops/define-op.ts'
import { bindOperands } from '../ops/operands.ts'
import { opNamed } from '../ops/registry.ts'
import { isFloat } from '../scalar/scalar-ops.ts'
import { followIf } from './follow-if.ts'
import { followLoop } from './follow-loop.ts'
import { followRule, refuse } from './follow-rule.ts'
import { leadingTo } from './reach.ts'
import { type Follow, type PullBack, type Tape, type Tracked, valuesOf } from './tape.ts'

/** The graph holds no `grad`: see {@link expandGrads}. */
export const pullBack: PullBack = (builder, body, args, seeds, wanted) => {
  for (const [name, symbol] of body.symbols) if (!builder.symbols.has(name)) builder.declare(symbol)
  const tape: Tape = { builder, steps: [], pullBack }
  const inputs = body.inputs.map(({ value }, i): Tracked => {
    const arg = args[i]
    if (arg === undefined) throw new Error(`${body.name} takes ${body.inputs.length} inputs, not ${args.length}`)
    return { value: arg, active: wanted[i] === true && isFloat(value.type.dtype) }
  })
  const outputs = forward(
    tape,
    body,
    inputs,
    seeds.map(s => s !== undefined),
  )

  const gradients = new Map<Tracked, Value>()
  const arrive = (at: Tracked | undefined, gradient: Value | undefined): void => {
    if (at === undefined || gradient === undefined || !at.active) return
    const before = gradients.get(at)
    gradients.set(at, before === undefined ? gradient : builder.one('add', [before, gradient]))
  }
  outputs.forEach((o, i) => arrive(o, seeds[i]))
  for (const step of [...tape.steps].reverse()) {
    const arrived = step.results.map(r => gradients.get(r))
    if (arrived.every(g => g === undefined)) continue
    builder.origin = step.origin
    const pulled = step.pull(arrived)
    step.operands.forEach((operand, i) => arrive(operand, pulled[i]))
  }
  return { outputs: outputs.map(o => o.value), gradients: inputs.map(x => gradients.get(x)) }
}

/** @param seeded which outputs gradients will arrive at */
const forward = (
  tape: Tape,
  body: Graph,
  inputs: readonly Tracked[],
  seeded: readonly boolean[],
): readonly Tracked[] => {
  const { builder } = tape
  const useful = leadingTo(body, seeded)
  const known = new Map<Value, Tracked>()
  body.inputs.forEach(({ value }, i) => {
    const input = inputs[i]
    if (input !== undefined) known.set(value, input)
  })
  const trackedOf = (value: Value): Tracked => {
    const found = known.get(value)
    if (found === undefined) throw new Error(`${body.name} uses a value before it is defined`)
    return found
  }
  for (const node of body.nodes) {
    const operands = node.operands.map(v => v && trackedOf(v))
    builder.origin = node.origin ?? builder.origin
    const arriving = node.results.map(r => useful.has(r))
    const flows = operands.some(o => o?.active) && arriving.includes(true)
    const results = (flows ? followerOf(opNamed(node.op)) : constant)(tape, node, operands, arriving)
    node.results.forEach((old, i) => {
      const result = results[i]
      if (result === undefined) throw new Error(`${node.op} has ${node.results.length} results, not ${results.length}`)
      known.set(old, result)
    })
  }
  return body.outputs.map(o => trackedOf(o.value))
}

const followerOf = (op: AnyOp): Follow => {
  switch (op.gradient) {
    case 'zero':
      return constant
    case 'none':
      return refuse
    case 'by-graph': {
      const follow = Object.hasOwn(byGraph, op.name) ? byGraph[op.name] : undefined
      if (follow === undefined) throw new Error(`${op.name} is to be expanded before it is differentiated`)
      return follow
    }
    case undefined:
      return followParts
    default:
      return followRule(op.gradient)
  }
}

const byGraph: Readonly<Record<string, Follow>> = { if: followIf, loop: followLoop }

/** No gradient passes. */
const constant: Follow = ({ builder }, node, operands) =>
  copyNode(node, valuesOf(operands), builder).map(value => ({ value, active: false }))

/** A composite through what it decomposes into. */
const followParts: Follow = (tape, node, operands, useful) => {
  const op = opNamed(node.op)
  const parts = new GraphBuilder(op.name, tape.builder.symbols)
  parts.origin = tape.builder.origin
  const inputs = operands.map((o, i) => o && parts.input(`in${i}`, o.value.type))
  const results = op.decompose?.(parts, bindOperands(op, inputs), node.attrs) ?? []
  const body = parts.finish(Object.fromEntries(results.map((value, i) => [`out${i}`, value])))
  return forward(
    tape,
    body,
    operands.filter(o => o !== undefined),
    useful,
  )
}
