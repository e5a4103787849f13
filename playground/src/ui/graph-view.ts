/** @file Draws a graph of the compiler from its text form: parsed by core-ir, laid out by dagre. */
import dagre from '@dagrejs/dagre'
import { type Graph, type Node, isGraph, parseGraph, printTensorType } from '@quern/core-ir'
import { element } from './element.ts'

const svgNamespace = 'http://www.w3.org/2000/svg'
const svg = (tag: string, attributes: Readonly<Record<string, string | number>>, text?: string): SVGElement => {
  const made = document.createElementNS(svgNamespace, tag)
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, String(value))
  if (text !== undefined) made.textContent = text
  return made
}

/** Ops inside a region, as its one line. */
const labelOf = (node: Node): { title: string; detail: string; region: boolean } => {
  const type = node.results[0] === undefined ? '' : printTensorType(node.results[0].type)
  const body = Object.values(node.attrs).find(isGraph)
  return body === undefined
    ? { title: node.op, detail: type, region: false }
    : {
        title: body.nodes
          .map(n => n.op)
          .filter(op => op !== 'broadcast')
          .join(' · '),
        detail: `one kernel → ${type}`,
        region: true,
      }
}

export const graphView = (text: string): HTMLElement => {
  let graph: Graph
  try {
    graph = parseGraph(text)
  } catch (error) {
    return element('pre', {}, `${text}\n\n${String(error)}`)
  }
  const layout = new dagre.graphlib.Graph({ directed: true })
  layout.setGraph({ rankdir: 'TB', nodesep: 28, ranksep: 34, marginx: 12, marginy: 12 })
  layout.setDefaultEdgeLabel(() => ({}))
  const ids = new Map<object, string>()
  const add = (key: object, title: string, detail: string, kind: string): void => {
    const id = `n${ids.size}`
    ids.set(key, id)
    layout.setNode(id, { width: Math.max(title.length, detail.length) * 7.2 + 28, height: 44, title, detail, kind })
  }
  const used = graph.nodes.filter(n => n.op !== 'constant')
  for (const { name, value } of graph.inputs) add(value, name, printTensorType(value.type), 'input')
  for (const node of used) {
    const { title, detail, region } = labelOf(node)
    add(node, title, detail, region ? 'region' : 'op')
  }
  for (const output of graph.outputs) add(output, output.name, printTensorType(output.value.type), 'output')
  const connect = (from: object | undefined, to: object): void => {
    const a = from && ids.get(from),
      b = ids.get(to)
    if (a !== undefined && b !== undefined) layout.setEdge(a, b)
  }
  for (const node of used)
    for (const operand of node.operands) if (operand !== undefined) connect(operand.node ?? operand, node)
  for (const output of graph.outputs) connect(output.value.node ?? output.value, output)
  dagre.layout(layout)

  const { width = 0, height = 0 } = layout.graph()
  const drawing = svg('svg', {
    viewBox: `0 0 ${width} ${height}`,
    width,
    height,
    role: 'img',
    'aria-label': `Graph of ${graph.nodes.length} nodes`,
  })
  for (const edge of layout.edges()) {
    const points: readonly { x: number; y: number }[] = layout.edge(edge).points ?? []
    drawing.append(
      svg('path', { class: 'edge', d: points.map(({ x, y }, i) => `${i === 0 ? 'M' : 'L'}${x} ${y}`).join(' ') }),
    )
  }
  for (const id of layout.nodes()) {
    const node = layout.node(id) as {
      x: number
      y: number
      width: number
      height: number
      title: string
      detail: string
      kind: string
    }
    drawing.append(
      svg('rect', {
        class: `node ${node.kind}`,
        x: node.x - node.width / 2,
        y: node.y - node.height / 2,
        width: node.width,
        height: node.height,
        rx: 9,
      }),
      svg('text', { class: 'title', x: node.x, y: node.y - 3 }, node.title),
      svg('text', { class: 'detail', x: node.x, y: node.y + 13 }, node.detail),
    )
  }
  return element('div', { class: 'graph', tabindex: '0' }, drawing as unknown as HTMLElement)
}
