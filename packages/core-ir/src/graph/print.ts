/**
 * @file The text form of graphs. Parsed by text/parse-graph.ts. A value prints under its name, numbered where that is taken
 * (`%x.1`), or as a number. Attributes equal to their default are left out.
 */
import type { Printed } from '../diagnostics/diagnostic.ts'
import { printIndex } from '../index/print.ts'
import { ops } from '../ops/registry.ts'
import { printNumber } from '../scalar/print.ts'
import { printName } from '../text/names.ts'
import { printOrigin } from '../text/origin.ts'
import { printSymbols } from '../text/symbols.ts'
import { type Inner, Writer } from '../text/writer.ts'
import type { AttrValue, ConstantData, Graph, Node, Value } from './graph.ts'
import { printTensorType } from './print-type.ts'
import { isGraph } from './transform.ts'

export const printGraph = (graph: Graph): string => printGraphLines(graph).text

/** With the line of each node: `2` is the third node, `2.body.0` the first of its nested graph; `head` and `return`. */
export const printGraphLines = (graph: Graph, outer?: Graph): Printed => {
  const w = new Writer()
  const names = valueNames(graph)
  const inputs = graph.inputs.map(
    i => `${nameOf(names, i.value)}: ${printTensorType(i.value.type)}${portName(i.name, i.value)}`,
  )
  w.line(`graph ${printName(graph.name)}${header(graph, outer)}(${inputs.join(', ')}) {`, 'head')
  w.indented(() => {
    graph.nodes.forEach((node, i) => printNode(w, node, `${i}`, graph, names))
    const outputs = graph.outputs.map(o => `${printName(o.name)} = ${nameOf(names, o.value)}`)
    w.line(`return${outputs.length === 0 ? '' : ' '}${outputs.join(', ')}`, 'return')
  })
  w.line('}')
  return w.finish()
}

type Names = ReadonlyMap<Value, string>

/** What each value of a graph prints as, without `%`. */
export const valueNames = (graph: Graph): Names => {
  const names = new Map<Value, string>()
  const used = new Map<string, number>()
  let unnamed = 0
  const add = (value: Value): void => {
    if (names.has(value)) return
    if (value.name === undefined) {
      names.set(value, `${unnamed++}`)
      return
    }
    const before = used.get(value.name) ?? 0
    used.set(value.name, before + 1)
    names.set(value, before === 0 ? printName(value.name) : `${printName(value.name)}.${before}`)
  }
  for (const input of graph.inputs) add(input.value)
  for (const node of graph.nodes) for (const result of node.results) add(result)
  return names
}

/** A value from elsewhere is a defect that the verifier reports; it prints all the same. */
const nameOf = (names: Names, value: Value): string => `%${names.get(value) ?? `"captured ${value.name ?? ''}"`}`

/** The input's name, where its value has another. */
const portName = (port: string, value: Value): string => (value.name === port ? '' : ` as ${JSON.stringify(port)}`)

/** A nested graph with the symbols of the graph around it says nothing of them. */
const header = (graph: Graph, outer: Graph | undefined): string => {
  const own = printSymbols(graph.symbols.values())
  if (outer === undefined) return own
  const around = printSymbols(outer.symbols.values())
  return own === around ? '' : own === '' ? '<>' : own
}

const printNode = (w: Writer, node: Node, path: string, graph: Graph, names: Names): void => {
  const results = node.results.map(r => nameOf(names, r)).join(', ')
  const types = node.results.map(r => printTensorType(r.type)).join(', ')
  let text = `${results}${results === '' ? '' : ' = '}${node.op}(`
  let separator = ''
  const inner: Inner[] = []
  const put = (piece: string): void => {
    text += separator + piece
    separator = ', '
  }
  for (const operand of node.operands) put(operand === undefined ? '_' : nameOf(names, operand))
  for (const [name, value] of printedAttrs(node)) {
    put(`${printName(name)}=`)
    if (isGraph(value)) {
      const printed = printGraphLines(value, graph)
      inner.push({ prefix: `${path}.${name}`, below: text.split('\n').length - 1, printed })
      text += printed.text
    } else text += printAttr(value, ops.get(node.op)?.attrs[name]?.kind === 'dtype')
  }
  text += `)${types === '' ? '' : ` : ${types}`}${node.origin === undefined ? '' : `   // ${printOrigin(node.origin)}`}`
  w.line(text, path, inner)
}

const printedAttrs = (node: Node): [string, AttrValue][] => {
  const specs = ops.get(node.op)?.attrs
  return Object.entries(node.attrs).filter(([name, value]) => {
    const usual = specs?.[name]?.default
    return usual === undefined || printAttr(usual, false) !== printAttr(value, false)
  })
}

/** A list may hold anything an attribute may. */
const isList = (value: AttrValue): value is readonly AttrValue[] => Array.isArray(value)

export const printAttr = (value: AttrValue, bareWord = false): string => {
  switch (typeof value) {
    case 'number':
      return printNumber(value)
    case 'bigint':
      return `${value}n`
    case 'boolean':
      return `${value}`
    case 'string':
      return bareWord ? value : JSON.stringify(value)
    case 'object':
      break
  }
  if (value === null) return 'null'
  if (isList(value)) return `[${value.map(v => printAttr(v)).join(',')}]`
  switch (value.kind) {
    case 'graph':
      return printGraph(value)
    case 'inline':
    case 'bytes':
      return printConstant(value)
    default:
      return printIndex(value)
  }
}

export const printConstant = (data: ConstantData): string =>
  data.kind === 'inline'
    ? `[${data.values.map(v => printAttr(v)).join(',')}]`
    : `bytes(${JSON.stringify(data.source)}, ${data.offset}, ${data.length}, ${JSON.stringify(data.hash)})`
