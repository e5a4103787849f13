/** @file Gradients through `if`: an `if` on the same condition, of the branches' gradients. */
import { GraphBuilder, mergeSymbols } from '../graph/builder.ts'
import type { Graph, Value } from '../graph/graph.ts'
import { copyNode, dropDead, isGraph } from '../graph/transform.ts'
import { filled } from '../ops/calculus.ts'
import { isFloat } from '../scalar/scalar-ops.ts'
import { type Follow, type Tape, freshName, valuesOf } from './tape.ts'

export const followIf: Follow = (tape, node, operands) => {
  const { builder, steps } = tape
  const values = valuesOf(operands)
  const tracked = copyNode(node, values, builder).map(value => ({ value, active: isFloat(value.type.dtype) }))
  const [condition, ...inputs] = operands
  steps.push({
    origin: builder.origin,
    operands,
    results: tracked,
    pull: grads => {
      const wanted = inputs.map(x => x?.active === true)
      const arrived = grads.map(g => g !== undefined)
      const branches = ['then', 'else'].map(name => {
        const graph = node.attrs[name]
        if (!isGraph(graph)) throw new TypeError(`if has no graph ${name}`)
        return branchBack(tape, name, graph, arrived, wanted)
      })
      // Where one branch depends on an input and the other does not, that one gives zeros.
      const flowing = inputs.map((_, i) => branches.some(b => b.gradients[i] !== undefined))
      if (!flowing.includes(true)) return []
      const [then, otherwise] = branches.map(b =>
        finish(
          b,
          inputs.map(x => x?.value),
          flowing,
        ),
      )
      if (then === undefined || otherwise === undefined) throw new Error('if has two branches')
      const results = builder.add(
        'if',
        [condition?.value, ...valuesOf(inputs), ...grads.filter(g => g !== undefined)],
        {
          then,
          else: otherwise,
        },
      )
      let next = 0
      return [undefined, ...flowing.map(flows => (flows ? results[next++] : undefined))]
    },
  })
  return tracked
}

interface BranchBack {
  readonly builder: GraphBuilder
  readonly gradients: readonly (Value | undefined)[]
}

/** A branch as a graph of its inputs and the gradients of its outputs. What it needs of its own values, it computes again. */
const branchBack = (
  { builder, pullBack }: Tape,
  name: string,
  branch: Graph,
  arrived: readonly boolean[],
  wanted: readonly boolean[],
): BranchBack => {
  const inner = new GraphBuilder(name, mergeSymbols(builder.symbols, branch.symbols))
  inner.origin = builder.origin
  const taken = new Set<string>()
  const args = branch.inputs.map(x => inner.input(freshName(taken, x.name), x.value.type))
  const seeds = branch.outputs.map((o, i) =>
    arrived[i] === true ? inner.input(freshName(taken, `d ${o.name}`), o.value.type) : undefined,
  )
  return { builder: inner, gradients: pullBack(inner, branch, args, seeds, wanted).gradients }
}

const finish = (
  { builder, gradients }: BranchBack,
  inputs: readonly (Value | undefined)[],
  flowing: readonly boolean[],
): Graph => {
  const outputs: Record<string, Value> = {}
  inputs.forEach((input, i) => {
    if (flowing[i] === true && input !== undefined) outputs[`d${i}`] = gradients[i] ?? filled(builder, 0, input.type)
  })
  return dropDead(builder.finish(outputs))
}
