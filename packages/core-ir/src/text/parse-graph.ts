/**
 * @file Parses graphs: the inverse of graph/print.ts, and a little more for people: result types may be left out where
 * they can be inferred, and a graph without a list of symbols declares those that its types mention.
 */
import { completeAttrs } from '../graph/builder.ts'
import { inferAnew, renameDefined } from '../graph/infer-types.ts'
import type { Attrs, AttrValue, Graph, Input, Node, Output, SymbolInfo, TensorType, Value } from '../graph/graph.ts'
import { visitAtoms } from '../index/index-expr.ts'
import { bindOperands } from '../ops/operands.ts'
import { opNamed } from '../ops/registry.ts'
import { type Cursor, parseAll } from './cursor.ts'
import type { Token } from './lexer.ts'
import { parseAttr } from './parse-attr.ts'
import { parseShape } from './parse-index.ts'
import { parseSymbols } from './symbols.ts'

export const parseGraph = (text: string): Graph => parseAll(text, c => parseGraphAt(c))

/** What a graph's statements see. */
interface Scope {
  readonly values: Map<string, Value>
  readonly symbols: Map<string, SymbolInfo>
  /** Whether symbols may be declared by being used. */
  readonly implicit: boolean
}

export const parseGraphAt = (c: Cursor, outer?: Scope): Graph => {
  c.expect('graph')
  const name = c.name("the graph's name")
  const listed = c.is('<')
  const symbols = listed || outer === undefined ? new Map(parseSymbols(c).map(s => [s.name, s])) : outer.symbols
  const scope: Scope = { values: new Map(), symbols, implicit: !listed && (outer?.implicit ?? true) }
  c.expect('(')
  const inputs = c
    .list(')', () => parseInput(c, scope))
    .map((input, index): Input => {
      const value: Value = { type: input.type, node: undefined, index, name: input.name }
      define(c, scope, input.key, value, input.token)
      return { name: input.port, value }
    })
  c.expect('{')
  const nodes: Node[] = []
  while (!c.is('return')) nodes.push(parseNode(c, scope))
  c.expect('return')
  const outputs: Output[] = []
  while (!c.accept('}')) {
    const output = c.name("an output's name")
    c.expect('=')
    outputs.push({ name: output, value: parseValue(c, scope) })
    if (!c.is('}')) c.expect(',')
  }
  return { kind: 'graph', name, inputs, nodes, outputs, symbols }
}

const parseInput = (c: Cursor, scope: Scope) => {
  const token = c.peek()
  const { key, name } = parseValueName(c)
  c.expect(':')
  const type = parseType(c)
  if (scope.implicit)
    for (const symbol of symbolsOf(type))
      if (!scope.symbols.has(symbol)) scope.symbols.set(symbol, { name: symbol, min: 1, max: undefined, multipleOf: 1 })
  checkSymbols(c, scope, type, token)
  const port = c.accept('as') ? c.string("the input's name") : (name ?? key)
  return { token, key, name, type, port }
}

/** `%name`, `%"any name"`, `%name.1` (another value of that name) or `%3` (one without). */
const parseValueName = (c: Cursor): { key: string; name: string | undefined } => {
  c.expect('%')
  if (c.peek().kind === 'number') return { key: `${c.integer()}`, name: undefined }
  const name = c.name("a value's name")
  if (!c.is('.') || !c.touches()) return { key: `"${name}"`, name }
  c.next()
  return { key: `"${name}".${c.integer()}`, name }
}

const parseValue = (c: Cursor, scope: Scope): Value => {
  const token = c.peek()
  const { key } = parseValueName(c)
  const value = scope.values.get(key)
  if (value === undefined) throw c.error(`no value ${key} is defined above`, token, 'graph/unknown-value')
  return value
}

const define = (c: Cursor, scope: Scope, key: string, value: Value, token: Token): void => {
  if (scope.values.has(key)) throw c.error(`the value ${key} is defined twice`, token, 'graph/defined-twice')
  scope.values.set(key, value)
}

export const parseType = (c: Cursor): TensorType => ({ dtype: c.dtype(), shape: parseShape(c) })

const symbolsOf = (type: TensorType): Set<string> => {
  const found = new Set<string>()
  for (const dim of type.shape)
    visitAtoms(dim, atom => {
      if (atom.kind === 'var') found.add(atom.name)
    })
  return found
}

const checkSymbols = (c: Cursor, scope: Scope, type: TensorType, token: Token): void => {
  for (const symbol of symbolsOf(type))
    if (!scope.symbols.has(symbol))
      throw c.error(`the symbol ${symbol} is not declared`, token, 'graph/undeclared-symbol')
}

const parseNode = (c: Cursor, scope: Scope): Node => {
  const names: { readonly token: Token; readonly key: string; readonly name: string | undefined }[] = []
  if (c.is('%')) {
    do names.push({ token: c.peek(), ...parseValueName(c) })
    while (c.accept(','))
    c.expect('=')
  }
  const opToken = c.peek()
  const opName = c.dashedWord('an op')
  const op = c.located(opToken, () => opNamed(opName))
  c.expect('(')
  const operands: (Value | undefined)[] = []
  const written: Record<string, AttrValue> = {}
  c.list(')', () => {
    if (c.is('%')) operands.push(parseValue(c, scope))
    else if (c.is('_') && !c.is('=', 1)) {
      c.next()
      operands.push(undefined)
    } else {
      const token = c.peek()
      const attr = c.name('an operand or an attribute')
      const spec = Object.hasOwn(op.attrs, attr) ? op.attrs[attr] : undefined
      if (spec === undefined)
        throw c.error(
          `${opName} has no attribute ${attr}; it has ${Object.keys(op.attrs).join(', ') || 'none'}`,
          token,
          `${opName}/unknown-attribute`,
        )
      c.expect('=')
      written[attr] = parseAttr(c, spec.kind, inner => parseGraphAt(inner, scope))
    }
  })
  const attrs = c.located(opToken, () =>
    completeAttrs(
      op,
      bindOperands(
        op,
        operands.map(v => v?.type),
      ),
      written,
    ),
  )
  const typesToken = c.peek()
  const stated: TensorType[] = []
  if (c.accept(':'))
    do stated.push(parseType(c))
    while (c.accept(','))
  const origin = c.originHere()
  const types = c.located(stated.length > 0 ? typesToken : opToken, () =>
    resolveTypes(scope, opName, operands, attrs, stated),
  )
  if (types.length !== names.length)
    throw c.error(`${opName} has ${types.length} results here, and ${names.length} are named`, opToken)
  for (const type of types) checkSymbols(c, scope, type, typesToken)
  const results: Value[] = []
  const node: Node = { op: opName, operands, attrs, results, origin }
  types.forEach((type, index) => {
    const at = names[index]
    if (at === undefined) return
    const value: Value = { type, node, index, name: at.name }
    results.push(value)
    define(c, scope, at.key, value, at.token)
  })
  return node
}

/** The stated types, or the inferred ones where none are stated; a symbol that the op defines takes the name stated. */
const resolveTypes = (
  scope: Scope,
  op: string,
  operands: readonly (Value | undefined)[],
  attrs: Attrs,
  stated: readonly TensorType[],
): readonly TensorType[] => {
  const declared = stated.every(t => [...symbolsOf(t)].every(s => scope.symbols.has(s)))
  if (stated.length > 0 && declared) return stated
  const inferred = renameDefined(inferAnew(op, operands, attrs, scope.symbols), stated)
  for (const symbol of inferred.defined) if (!scope.symbols.has(symbol.name)) scope.symbols.set(symbol.name, symbol)
  return stated.length > 0 ? stated : inferred.types
}
