/** @file From lazy tensors to a graph: walks from the outputs, once per expression, keeping the user's lines. */
import { QuernError } from '@quern/artifact'
import {
  type AttrValue,
  type ByteSource,
  type Graph,
  GraphBuilder,
  type Span,
  type StateDecl,
  type Value,
  mergeSymbols,
  printTensorType,
  statePrefix,
} from '@quern/core-ir'
import { unused } from './names.ts'
import { SymbolNames } from './rename-symbols.ts'
import { type AnyTensor, type LazyBody, type LazyNode, nameOf } from './tensor.ts'

export interface Parameter {
  readonly name: string
  readonly tensor: AnyTensor
}

/** What a build collects beside the graph. */
export interface Collected {
  readonly sources: Map<string, ByteSource>
  readonly states: Map<string, StateDecl>
}

/** Notes a state that is read or updated: one name is one declaration in all of a program. */
export const collectState = ({ states }: Collected, declaration: StateDecl, origin: Span | undefined): void => {
  const { name, type } = declaration
  const before = states.get(name)
  if (before !== undefined && before !== declaration)
    throw new QuernError(
      'state/declared-twice',
      `two states are named ${name}, ${printTensorType(before.type)} and ${printTensorType(type)}: declare it once and share it, or name one anew`,
      { state: name, origin },
    )
  states.set(name, declaration)
}

/** Builds the graph of `outputs` over `parameters`. A parameter that is not listed belongs to an outer graph: see `capture`. */
export const buildGraph = (
  name: string,
  parameters: readonly Parameter[],
  outputs: Readonly<Record<string, AnyTensor>>,
  collected: Collected,
): Graph => {
  const tensors = [...parameters.map(p => p.tensor), ...Object.values(outputs)]
  const names = new SymbolNames(tensors.flatMap(t => [...t.symbols.keys()]))
  const { graph, captures } = buildWithCaptures(name, parameters, outputs, { ...collected, names }, 'entry')
  const [stray] = captures
  if (stray !== undefined)
    throw new QuernError(
      'model/foreign-input',
      `${name} uses the input ${nameOf(stray) ?? '?'} of another model: pass it as an input of its own`,
      { origin: stray.node.origin },
    )
  return graph
}

const buildWithCaptures = (
  name: string,
  parameters: readonly Parameter[],
  outputs: Readonly<Record<string, AnyTensor>>,
  collected: Collected & { readonly names: SymbolNames },
  level: 'entry' | 'body',
): { graph: Graph; captures: readonly AnyTensor[] } => {
  const known = [...parameters.map(p => p.tensor), ...Object.values(outputs)].map(t => t.symbols)
  const { names } = collected
  const builder = new GraphBuilder(name, names.symbols(mergeSymbols(...known)))
  const built = new Map<LazyNode, readonly Value[]>()
  for (const { name: parameter, tensor } of parameters)
    built.set(tensor.node, [builder.input(parameter, names.type(tensor.type))])
  const captures: AnyTensor[] = []

  const valueOf = (t: AnyTensor): Value => {
    const values = built.get(t.node) ?? build(t)
    const value = values[t.index]
    if (value === undefined) throw new Error(`result ${t.index} of a node with ${values.length}`)
    return value
  }
  const build = (root: AnyTensor): readonly Value[] => {
    // An explicit stack: a chain of 20,000 operations must not overflow the host's.
    const stack: AnyTensor[] = [root]
    for (let t = stack.at(-1); t !== undefined; t = stack.at(-1)) {
      if (built.has(t.node)) {
        stack.pop()
        continue
      }
      const waiting =
        t.node.kind === 'op' ? t.node.operands.filter(o => o !== undefined).filter(o => !built.has(o.node)) : []
      if (waiting.length > 0) {
        stack.push(...waiting)
        continue
      }
      stack.pop()
      built.set(t.node, emit(t))
    }
    return built.get(root.node) ?? []
  }
  const emit = (t: AnyTensor): readonly Value[] => {
    const { node } = t
    builder.origin = node.origin
    const type = names.type(t.type)
    // What a body alone leads to shows in no output of this graph.
    for (const [symbol, info] of names.symbols(t.symbols)) if (!builder.symbols.has(symbol)) builder.declare(info)
    switch (node.kind) {
      case 'parameter':
        captures.push(t)
        return [builder.input(`${node.name}$${captures.length}`, type)]
      case 'state': {
        if (level === 'body') {
          captures.push(t)
          return [builder.input(`${node.declaration.name}$${captures.length}`, type)]
        }
        collectState(collected, node.declaration, node.origin)
        return [builder.input(`${statePrefix}${node.declaration.name}`, type)]
      }
      case 'constant':
        if (node.source !== undefined) collected.sources.set(node.source.name, node.source)
        return builder.addTyped(
          'constant',
          [],
          { data: node.data, dtype: t.type.dtype, shape: staticShape(t) },
          [type],
          node.origin?.name,
        )
      case 'op': {
        const operands = node.operands.map(o => o && valueOf(o))
        const captured: AnyTensor[] = []
        // Every body of a node takes the same captures, in one order, after its own parameters.
        for (const value of Object.values(node.attrs)) {
          if (!isBody(value)) continue
          const { captures: inner } = buildWithCaptures(value.name, value.parameters, value.results, collected, 'body')
          for (const c of inner) if (!captured.some(x => x.node === c.node)) captured.push(c)
        }
        const bodyGraph = ({ name: body, parameters: own, results }: LazyBody): Graph => {
          const taken = new Set(own.map(p => p.name))
          const behind = captured.map((tensor, i) => ({ name: unused(taken, `capture${i}`), tensor }))
          return buildWithCaptures(body, [...own, ...behind], results, collected, 'body').graph
        }
        const attrs = Object.fromEntries(
          Object.entries(node.attrs).map(([key, value]) => [key, isBody(value) ? bodyGraph(value) : names.attr(value)]),
        )
        builder.origin = node.origin
        const types = node.types.map(one => names.type(one))
        return builder.addTyped(node.op, [...operands, ...captured.map(valueOf)], attrs, types, node.origin?.name)
      }
    }
  }
  const values = Object.fromEntries(Object.entries(outputs).map(([key, t]) => [key, valueOf(t)]))
  return { graph: builder.finish(values), captures }
}

const isBody = (x: AttrValue | LazyBody): x is LazyBody =>
  typeof x === 'object' && x !== null && 'kind' in x && x.kind === 'body'

/** Constants have numbers as their shape by construction. */
const staticShape = (t: AnyTensor): readonly number[] =>
  t.shape.map(d => {
    if (typeof d !== 'number') throw new Error('a constant has a symbolic shape')
    return d
  })
