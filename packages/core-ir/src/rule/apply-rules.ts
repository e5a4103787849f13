/**
 * @file The rewrite driver: applies rules to a graph until none fires. Rules are tried on every node when it is built
 * (from the old graph or by another rule), so one sweep normalises bottom-up; sweeps repeat until nothing changes.
 */
import { QuernError } from '@quern/artifact'
import { GraphBuilder } from '../graph/builder.ts'
import type { Attrs, Graph, Node, TensorType, Value } from '../graph/graph.ts'
import { printTensorType } from '../graph/print-type.ts'
import { copyNode, dropDead, isGraph, transformGraph } from '../graph/transform.ts'
import { matchPattern } from './pattern.ts'
import { type Numerics, type Rule, numericsLevels } from './rule.ts'

export interface Fired {
  readonly rule: string
  readonly at: Node['origin']
  readonly op: string
}
export interface RewriteResult {
  readonly graph: Graph
  readonly fired: readonly Fired[]
}

export interface RewriteOptions {
  /** Rules that change more than this are left out. Default `algebraic`. */
  readonly numerics?: Numerics
  /** Rewrites allowed per node of the graph before the driver says that the rules loop. Default 32. */
  readonly fuelPerNode?: number
}

const allowed = (rule: Rule, limit: Numerics): boolean =>
  numericsLevels.indexOf(rule.numerics) <= numericsLevels.indexOf(limit)

export const applyRules = (graph: Graph, rules: readonly Rule[], options: RewriteOptions = {}): RewriteResult => {
  const usable = rules.filter(r => allowed(r, options.numerics ?? 'algebraic'))
  const byOp = new Map<string, Rule[]>()
  for (const r of usable) {
    const roots = r.match.kind === 'op' ? [r.match.op].flat() : []
    for (const op of roots) byOp.set(op, [...(byOp.get(op) ?? []), r])
  }
  const fired: Fired[] = []
  let fuel = (options.fuelPerNode ?? 32) * (graph.nodes.length + 8)
  const burn = (rule: Rule): void => {
    if (--fuel < 0)
      throw new QuernError(
        'rule/does-not-end',
        `the rewrite rules do not come to an end on ${graph.name}; the last was ${rule.name}. This is a defect of Quern`,
        { rule: rule.name },
      )
  }

  /** How often each value of the graph being built will be used, as far as the old graph tells. What rules make, they use once. */
  const uses = new Map<Value, number>()
  const usedOnce = (value: Value): boolean => (uses.get(value) ?? 1) === 1

  class RewritingBuilder extends GraphBuilder {
    override addTyped(
      op: string,
      operands: readonly (Value | undefined)[],
      attrs: Attrs,
      types: readonly TensorType[],
      name?: string,
    ): readonly Value[] {
      const results = super.addTyped(op, operands, attrs, types, name)
      const node = results[0]?.node
      if (node === undefined) return results
      for (const rule of byOp.get(op) ?? []) {
        const match = matchPattern(rule.match, node)
        const rewritten = match && rule.rewrite(this, match, { usedOnce })
        if (rewritten === undefined || rewritten[0] === results[0]) continue
        burn(rule)
        checkTypes(rule, node, rewritten)
        fired.push({ rule: rule.name, at: node.origin, op })
        return rewritten
      }
      return results
    }
  }

  const sweep = (g: Graph): Graph => {
    const before = fired.length
    uses.clear()
    const old = countUses(g)
    const nested = (inner: Graph): Graph => {
      const result = applyRules(inner, usable, options)
      fired.push(...result.fired)
      return result.graph
    }
    const swept = dropDead(
      transformGraph(
        g,
        (node, operands, builder) => {
          const results = Object.values(node.attrs).some(isGraph)
            ? copyNode(node, operands, builder, nested)
            : copyNode(node, operands, builder)
          node.results.forEach((r, i) => {
            const now = results[i]
            if (now !== undefined) uses.set(now, (uses.get(now) ?? 0) + (old.get(r) ?? 0))
          })
          return results
        },
        new RewritingBuilder(g.name, g.symbols),
      ),
    )
    return fired.length === before ? swept : sweep(swept)
  }
  return { graph: sweep(graph), fired }
}

const countUses = (graph: Graph): ReadonlyMap<Value, number> => {
  const counts = new Map<Value, number>()
  const count = (v: Value | undefined): void => {
    if (v !== undefined) counts.set(v, (counts.get(v) ?? 0) + 1)
  }
  for (const node of graph.nodes) node.operands.forEach(count)
  graph.outputs.forEach(o => count(o.value))
  return counts
}

const checkTypes = (rule: Rule, node: Node, results: readonly Value[]): void => {
  node.results.forEach((old, i) => {
    const now = results[i]
    const same =
      now !== undefined &&
      now.type.dtype === old.type.dtype &&
      now.type.shape.length === old.type.shape.length &&
      now.type.shape.every((d, axis) => d.key === old.type.shape[axis]?.key)
    if (!same)
      throw new QuernError(
        'rule/keeps-type',
        `the rule ${rule.name} turned ${printTensorType(old.type)} into ${now === undefined ? 'nothing' : printTensorType(now.type)}. This is a defect of Quern`,
        { rule: rule.name },
      )
  })
}
