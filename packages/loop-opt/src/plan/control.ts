/** @file `if` and `loop` nodes as steps that hold the steps of their graphs. */
import { type Graph, type Index, type Node, type Step, type Value, isGraph, ix, scalar as sc } from '@quern/core-ir'
import { hintOf } from '../lower/expand.ts'
import { assignHomes, copyOutputs } from './homes.ts'
import { type GraphScope, type Place, bufferOf, bufferPlace, literalOf, lowerGraph } from './lower-graph.ts'

const graphIn = (node: Node, name: string): Graph => {
  const graph = node.attrs[name]
  if (!isGraph(graph)) throw new Error(`${node.op} has no graph ${name}`)
  return graph
}

/** Steps of a nested graph that writes its outputs into `wanted`. */
const block = (
  graph: Graph,
  places: readonly (Place | undefined)[],
  wanted: readonly (string | undefined)[],
  outer: GraphScope,
  also: (scope: GraphScope) => void = () => {},
): Step[] => {
  const scope: GraphScope = { ...outer, steps: [], places: new Map(), homes: new Map() }
  graph.inputs.forEach(({ value }, i) => {
    const place = places[i]
    if (place !== undefined) scope.places.set(value, place)
  })
  assignHomes(graph, wanted, scope.homes, scope.plan)
  lowerGraph(graph, scope)
  also(scope)
  copyOutputs(graph, wanted, scope)
  return scope.steps
}

const placesOf = (values: readonly (Value | undefined)[], scope: GraphScope): (Place | undefined)[] =>
  values.map(v => v && scope.places.get(v))

/** A buffer for each result; where a kernel further on wants one, that. */
const resultBuffers = (node: Node, scope: GraphScope): string[] =>
  node.results.map(r => {
    const name = scope.homes.get(r) ?? scope.plan.buffer(`${scope.prefix}${hintOf(r)}`, 'scratch', r.type)
    scope.places.set(r, bufferPlace(name))
    return name
  })

export const lowerIf = (node: Node, scope: GraphScope): void => {
  const [condition, ...operands] = node.operands
  if (condition === undefined) throw new Error('if has no condition')
  const held = bufferOf(condition, scope)
  const places = placesOf(operands, scope)
  const results = resultBuffers(node, scope)
  scope.steps.push({
    kind: 'if',
    condition: held,
    then: block(graphIn(node, 'then'), places, results, scope),
    else: block(graphIn(node, 'else'), places, results, scope),
  })
}

/**
 * The carried values live in the results' buffers. A round computes the next ones elsewhere and copies them at its end,
 * since a round may read any carried value until then.
 */
export const lowerLoop = (node: Node, scope: GraphScope): void => {
  const { plan } = scope
  const body = graphIn(node, 'body')
  const [most, condition, ...inputs] = node.operands
  const carried = node.results.length
  const results = resultBuffers(node, scope)
  inputs.slice(0, carried).forEach((v, i) => {
    const to = results[i]
    if (v !== undefined && to !== undefined) scope.steps.push({ kind: 'copy', from: bufferOf(v, scope), to })
  })
  const limit = limitOf(most, scope)
  const counter = freshSymbol(plan.symbols, 'round')
  plan.symbols.set(counter, {
    name: counter,
    min: 0,
    multipleOf: 1,
    max: typeof limit === 'object' && ix.isConst(limit) ? Math.max(limit.value - 1, 0) : undefined,
  })
  const round: Place = { kind: 'literal', scalar: sc.indexScalar(ix.variable(counter)) }
  const again = conditionBuffer(condition, body, scope)
  const next = body.outputs.slice(1).map(({ value }, i) => {
    const carrier = body.inputs[i + 1]?.value
    return carrier === value ? undefined : plan.buffer(`${scope.prefix}${hintOf(value)}_next`, 'scratch', value.type)
  })
  const places = [round, ...results.map(r => bufferPlace(r)), ...placesOf(inputs.slice(carried), scope)]
  const steps = block(body, places, [again, ...next], scope)
  next.forEach((from, i) => {
    const to = results[i]
    if (from !== undefined && to !== undefined) steps.push({ kind: 'copy', from, to })
  })
  scope.steps.push({ kind: 'loop', counter, limit, condition: again, body: steps })
}

/** A number where it is known, else the buffer that holds it. */
const limitOf = (most: Value | undefined, scope: GraphScope): Index | string | undefined => {
  const place = most && scope.places.get(most)
  if (most === undefined || place === undefined) return undefined
  if (place.kind === 'buffer') return place.name
  const { scalar } = place
  if (scalar.kind === 'const') return ix.constant(Math.max(0, Number(scalar.value)))
  return scalar.kind === 'index' ? scalar.index : bufferOf(most, scope)
}

/** Holds whether there is another round; undefined where there always is one. */
const conditionBuffer = (first: Value | undefined, body: Graph, scope: GraphScope): string | undefined => {
  const next = body.outputs[0]?.value
  const literal = next?.node && literalOf(next.node)
  const always = literal?.kind === 'const' && Number(literal.value) !== 0
  if (first === undefined && always) return undefined
  const bool = { dtype: 'bool', shape: [] } as const
  const again = scope.plan.buffer(`${scope.prefix}again`, 'scratch', bool)
  const from =
    first === undefined
      ? scope.plan.constant('yes', 'bool', [], { kind: 'inline', values: [1] })
      : bufferOf(first, scope)
  scope.steps.push({ kind: 'copy', from, to: again })
  return again
}

const freshSymbol = (symbols: ReadonlyMap<string, unknown>, hint: string): string => {
  let name = hint
  for (let i = 2; symbols.has(name); i++) name = `${hint}_${i}`
  return name
}
