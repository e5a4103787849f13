/**
 * @file Checks a graph: operands defined above and in the same graph, attributes as the op declares them, constraints,
 * types as inferred, symbols declared. Nested graphs too.
 */
import { type DType, dtypes, isQuernError } from '@quern/artifact'
import { type Diagnostic, type Printed, diagnose, printedOnce, throwDiagnostics } from '../diagnostics/diagnostic.ts'
import { type Index, sameIndex, visitAtoms } from '../index/index-expr.ts'
import type { AnyOp, AttrKind } from '../ops/define-op.ts'
import { ops } from '../ops/registry.ts'
import { provesEqual } from './builder.ts'
import type { AttrValue, Graph, Node, TensorType, Value } from './graph.ts'
import { inferAnew, renameDefined } from './infer-types.ts'
import { printTensorType } from './print-type.ts'
import { printAttr, printGraphLines, valueNames } from './print.ts'
import { isGraph } from './transform.ts'

/** Throws an error with every finding. */
export const verifyGraph = (graph: Graph): void => throwDiagnostics(`the graph ${graph.name}`, graphDiagnostics(graph))

export const graphDiagnostics = (graph: Graph): Diagnostic[] => {
  const found: Diagnostic[] = []
  checkGraph(graph, '', { printed: printedOnce(() => printGraphLines(graph)), found })
  return found
}

interface Report {
  readonly printed: () => Printed
  readonly found: Diagnostic[]
}

const checkGraph = (graph: Graph, prefix: string, { printed, found }: Report): void => {
  const names = valueNames(graph)
  const defined = new Set<Value>()
  const later = new Set(graph.nodes.flatMap(n => n.results))
  const say = (path: string, code: string, message: string, focus?: string): void => {
    found.push(diagnose(printed(), prefix + path, code, message, focus))
  }
  const checkDims = (path: string, dims: readonly Index[], what: string): void => {
    for (const dim of dims)
      visitAtoms(dim, atom => {
        if (atom.kind === 'var' && !graph.symbols.has(atom.name))
          say(path, 'graph/undeclared-symbol', `${what} mentions ${atom.name}, which is not declared`, atom.name)
        if (atom.kind === 'value')
          say(path, 'graph/shape-from-data', `${what} depends on data other than through a symbol`)
      })
  }
  const checkUse = (path: string, value: Value): void => {
    if (defined.has(value)) return
    const name = names.get(value)
    if (later.has(value)) say(path, 'graph/out-of-order', `%${name} is used before it is defined`, `%${name}`)
    else
      say(path, 'graph/captured-value', `${value.name ?? 'a value'} belongs to another graph: graphs capture nothing`)
  }
  const define = (path: string, value: Value, node: Node | undefined, index: number): void => {
    if (value.node !== node || value.index !== index)
      say(path, 'graph/wrong-result', `%${names.get(value)} says that it is result ${value.index} of another node`)
    if (defined.has(value)) say(path, 'graph/defined-twice', `%${names.get(value)} is defined twice`)
    defined.add(value)
    checkDims(path, value.type.shape, `the type of %${names.get(value)}`)
  }
  unique(
    graph.inputs.map(i => i.name),
    name => say('head', 'graph/defined-twice', `two inputs are named ${name}`),
  )
  graph.inputs.forEach(({ value }, i) => define('head', value, undefined, i))
  for (const [name, s] of graph.symbols) {
    if (s.name !== name || s.min > (s.max ?? Infinity) || s.multipleOf < 1)
      say('head', 'graph/wrong-symbol', `the bounds of ${name} hold for nothing`, name)
    if (s.upper !== undefined) checkDims('head', [s.upper], `the bound of ${name}`)
  }
  graph.nodes.forEach((node, i) => {
    const path = `${i}`
    for (const operand of node.operands) if (operand !== undefined) checkUse(path, operand)
    const op = ops.get(node.op)
    if (op === undefined) say(path, 'graph/unknown-op', `there is no op named ${node.op}`, node.op)
    else {
      let sound = true
      for (const [name, value] of Object.entries(node.attrs)) {
        const problem = wrongAttr(op, name, value)
        if (problem === undefined) checkAttrDims(value, dims => checkDims(path, dims, `the attribute ${name}`))
        else {
          sound = false
          say(path, `${op.name}/wrong-attribute`, problem, name)
        }
        if (isGraph(value)) checkGraph(value, `${prefix}${path}.${name}.`, { printed, found })
      }
      if (sound) checkTypes(node, graph, (code, message) => say(path, code, message))
    }
    node.results.forEach((value, index) => define(path, value, node, index))
  })
  unique(
    graph.outputs.map(o => o.name),
    name => say('return', 'graph/defined-twice', `two outputs are named ${name}`, name),
  )
  for (const { value } of graph.outputs) checkUse('return', value)
}

const unique = (names: readonly string[], repeated: (name: string) => void): void =>
  names.forEach((name, i) => {
    if (names.indexOf(name) < i) repeated(name)
  })

/** Runs the op's constraints and inference anew. */
const checkTypes = (node: Node, graph: Graph, say: (code: string, message: string) => void): void => {
  const stated = node.results.map(r => r.type)
  try {
    const raw = inferAnew(node.op, node.operands, node.attrs, graph.symbols)
    const inferred = renameDefined(raw, stated)
    if (inferred.types.length !== stated.length)
      say('graph/wrong-type', `${node.op} has ${inferred.types.length} results, not ${stated.length}`)
    inferred.types.forEach((type, i) => {
      const own = stated[i]
      if (own !== undefined && !sameType(type, own, graph))
        say('graph/wrong-type', `${node.op} gives ${printTensorType(type)}, not ${printTensorType(own)}`)
    })
    for (const { name, min, max } of inferred.narrowed)
      say(
        'graph/wrong-symbol',
        `${node.op} needs ${min} ≤ ${name}${max === undefined ? '' : ` ≤ ${max}`}, and the graph allows more`,
      )
    for (const { name, upper } of inferred.defined) {
      const known = graph.symbols.get(name)
      if (known !== undefined && upper !== undefined && (known.upper === undefined || !sameIndex(known.upper, upper)))
        say('graph/wrong-symbol', `${node.op} defines ${name}, bounded by ${upper.key}, which the graph does not say`)
    }
  } catch (error) {
    if (!isQuernError(error)) throw error
    say(error.code, error.message.replace(/^\[[^\]]*\] /, ''))
  }
}

const sameType = (a: TensorType, b: TensorType, graph: Graph): boolean =>
  a.dtype === b.dtype &&
  a.shape.length === b.shape.length &&
  a.shape.every((d, i) => provesEqual(d, b.shape[i] ?? -1, graph.symbols))

const isList = (value: AttrValue): value is readonly AttrValue[] => Array.isArray(value)
const isDim = (value: AttrValue): value is Index =>
  typeof value === 'object' &&
  value !== null &&
  !isList(value) &&
  ['const', 'var', 'sum', 'div', 'mod', 'min', 'max', 'value'].includes(value.kind)
const isInteger = (value: AttrValue): boolean => Number.isSafeInteger(value)
const listOf =
  (test: (value: AttrValue) => boolean) =>
  (value: AttrValue): boolean =>
    isList(value) && value.every(test)

const fits = {
  int: isInteger,
  ints: listOf(isInteger),
  float: v => typeof v === 'number',
  bool: v => typeof v === 'boolean',
  string: v => typeof v === 'string',
  strings: listOf(v => typeof v === 'string'),
  dtype: v => dtypes.includes(v as DType),
  dim: isDim,
  dims: listOf(isDim),
  graph: v => isGraph(v),
  constant: v => typeof v === 'object' && v !== null && !isList(v) && (v.kind === 'inline' || v.kind === 'bytes'),
} as const satisfies Record<AttrKind, (value: AttrValue) => boolean>

const wrongAttr = (op: AnyOp, name: string, value: AttrValue): string | undefined => {
  const spec = Object.hasOwn(op.attrs, name) ? op.attrs[name] : undefined
  if (spec === undefined) return `${op.name} has no attribute ${name}`
  if (value === null && spec.default === null) return undefined
  return fits[spec.kind](value) ? undefined : `${name} is ${spec.kind}, and ${printAttr(value).split('\n')[0]} is not`
}

const checkAttrDims = (value: AttrValue, check: (dims: readonly Index[]) => void): void => {
  if (isDim(value)) check([value])
  else if (isList(value)) for (const v of value) checkAttrDims(v, check)
}
