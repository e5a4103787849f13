/** @file Builds a graph node by node: checks constraints, infers types, keeps the user's lines. */
import type { DType } from '@quern/artifact'
import type { Span } from '../diagnostics/span.ts'
import { type Index, type IndexLike, toIndex } from '../index/index-expr.ts'
import { rangeOf } from '../index/range.ts'
import type { AnyOp, AttrKind, GraphContext, InferContext, Operands } from '../ops/define-op.ts'
import { bindOperands } from '../ops/operands.ts'
import { opNamed } from '../ops/registry.ts'
import { checkAttrs } from './check-attrs.ts'
import { type OperandInfo, checkConstraints } from './check-constraints.ts'
import { ShapeElements } from './shape-elements.ts'
import { provesEqual, symbolRanges } from './symbol-ranges.ts'
import type { AttrValue, Attrs, Graph, Input, Node, SymbolInfo, Symbols, TensorType, Value } from './graph.ts'

export { type Constrained, type OperandInfo, checkConstraints, roleOf } from './check-constraints.ts'
export { mergeSymbols, narrowed, provesEqual, symbolRange, symbolRanges } from './symbol-ranges.ts'

export const tensorType = (dtype: DType, shape: readonly IndexLike[]): TensorType => ({
  dtype,
  shape: shape.map(toIndex),
})

/** Adds a fresh data-defined symbol, at most `upper`, to a symbol table. */
export const defineSymbol = (symbols: Map<string, SymbolInfo>, hint: string, upper: Index): SymbolInfo => {
  let name = hint
  for (let i = 1; symbols.has(name); i++) name = `${hint}_${i}`
  const { max } = rangeOf(upper, symbolRanges(symbols))
  const symbol: SymbolInfo = { name, min: 0, max: Number.isFinite(max) ? max : undefined, multipleOf: 1, upper }
  symbols.set(name, symbol)
  return symbol
}

export class GraphBuilder implements GraphContext {
  readonly symbols: Map<string, SymbolInfo>
  private readonly inputs: Input[] = []
  private readonly nodes: Node[] = []
  /** The line that nodes added from now on come from. */
  origin: Span | undefined

  readonly name: string

  constructor(name: string, symbols: Symbols = new Map()) {
    this.name = name
    this.symbols = new Map(symbols)
  }

  input(name: string, type: TensorType): Value {
    const value: Value = { type, node: undefined, index: this.inputs.length, name }
    this.inputs.push({ name, value })
    return value
  }

  declare(symbol: SymbolInfo): void {
    this.symbols.set(symbol.name, symbol)
  }

  equal(a: IndexLike, b: IndexLike): boolean {
    return provesEqual(a, b, this.symbols)
  }
  define(hint: string, upper: Index): SymbolInfo {
    return defineSymbol(this.symbols, hint, upper)
  }
  narrow(symbol: SymbolInfo): void {
    this.symbols.set(symbol.name, symbol)
  }

  /** Adds a node and returns its results. Throws a coded error when a constraint of the op does not hold. */
  add(opName: string, operands: readonly (Value | undefined)[], attrs: Attrs = {}, name?: string): readonly Value[] {
    const { attrs: full, types } = inferNode(opName, operands, attrs, this, this.origin)
    return this.addTyped(opName, operands, full, types, name)
  }

  /** The single result of {@link add}. */
  one(opName: string, operands: readonly (Value | undefined)[], attrs: Attrs = {}, name?: string): Value {
    const [value] = this.add(opName, operands, attrs, name)
    if (value === undefined) throw new Error(`${opName} has no result`)
    return value
  }

  /** Adds a node whose result types are known already (rewrites that keep types, parsers). */
  addTyped(
    op: string,
    operands: readonly (Value | undefined)[],
    attrs: Attrs,
    types: readonly TensorType[],
    name?: string,
  ): readonly Value[] {
    const results: Value[] = []
    const node: Node = { op, operands, attrs, results, origin: this.origin }
    types.forEach((type, index) => results.push({ type, node, index, name: index === 0 ? name : undefined }))
    this.nodes.push(node)
    return results
  }

  finish(outputs: Readonly<Record<string, Value>>): Graph {
    return {
      kind: 'graph',
      name: this.name,
      inputs: this.inputs,
      nodes: this.nodes,
      symbols: this.symbols,
      outputs: Object.entries(outputs).map(([name, value]) => ({ name, value })),
    }
  }
}

/** Checks an op's constraints and infers its result types; the attributes come back with defaults filled in. */
export const inferNode = (
  opName: string,
  operands: readonly (OperandInfo | undefined)[],
  attrs: Attrs,
  graph: GraphContext,
  origin: Span | undefined,
): { attrs: Attrs; types: readonly TensorType[] } => {
  const op = opNamed(opName)
  const types = bindOperands(
    op,
    operands.map(v => v?.type),
  )
  checkAttrs(op, attrs, origin)
  const full = completeAttrs(op, types, attrs)
  const context = nodeContext(op, operands, graph)
  checkConstraints(op, types, full, operands, context, origin)
  return { attrs: full, types: op.infer(types, full, context) }
}

const nodeContext = (op: AnyOp, operands: readonly (OperandInfo | undefined)[], graph: GraphContext): InferContext => ({
  symbols: graph.symbols,
  equal: (a, b) => graph.equal(a, b),
  define: (hint, upper) => graph.define(hint, upper),
  narrow: symbol => graph.narrow(symbol),
  elements: role => {
    const operand = operands[op.operands.indexOf(role)]
    if (operand === undefined) return undefined
    const { type, index = 0, node } = operand
    return new ShapeElements(symbolRanges(graph.symbols)).of({ type, index, node })
  },
})

/** Dims may be written as plain numbers; the IR holds index expressions. */
const asDims = (kind: AttrKind, value: AttrValue): AttrValue => {
  if (kind === 'dim' && typeof value === 'number') return toIndex(value)
  if (kind === 'dims' && Array.isArray(value)) return value.map(d => (typeof d === 'number' ? toIndex(d) : d))
  return value
}

/** Attributes as the IR holds them: in the op's order, defaults filled in, in canonical form. Checks nothing. */
export const completeAttrs = (op: AnyOp, operands: Operands<readonly string[], TensorType>, attrs: Attrs): Attrs => {
  const full: Record<string, AttrValue> = {}
  for (const [name, spec] of Object.entries(op.attrs)) {
    const value = attrs[name] ?? spec.default
    if (value !== undefined) full[name] = asDims(spec.kind, value)
  }
  for (const [name, value] of Object.entries(attrs)) if (!Object.hasOwn(op.attrs, name)) full[name] = value
  const whole = Object.keys(op.attrs).every(name => Object.hasOwn(full, name))
  return whole ? (op.canonical?.(operands, full) ?? full) : full
}
