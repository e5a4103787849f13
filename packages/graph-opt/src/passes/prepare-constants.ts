/**
 * @file Splits off what depends on constants only and is too large to fold: weights that are scaled, cast, transposed or cut.
 * Each connected piece becomes a graph of its own that runs once, at build, and the model's graph gets constants in its place.
 */
import { bytesOf } from '@quern/artifact'
import {
  type ConstantData,
  type Graph,
  GraphBuilder,
  type Node,
  type Value,
  copyNode,
  isGraph,
  transformGraph,
} from '@quern/core-ir'
import { ancestorsOf, cheapToMake, countOf, knownNodes, visitsOf } from './known-constants.ts'
import type { Pass, PassContext } from './pass.ts'

/** What goes beyond these is left to run time, with a note that names the limit. */
export interface PrepareLimits {
  /** Bytes of one prepared piece: its results and the constants that they are made of. */
  readonly prepareBytes: number
  /** Element visits that all of a graph may take at build. */
  readonly prepareWork: number
  /** How many times the bytes of the constants that go in the results may take: they are downloaded in their place. */
  readonly prepareGrowth: number
}
export const defaultPrepareLimits: PrepareLimits = { prepareBytes: 2 ** 30, prepareWork: 2 ** 34, prepareGrowth: 4 }

/** Results up to this size may grow: nobody notices them. */
const smallBytes = 1 << 16

interface Piece {
  readonly nodes: ReadonlySet<Node>
  readonly outputs: readonly Value[]
}

/** The values that the rest of a graph needs of its known nodes, past those that are cheap to make. */
const neededOf = (graph: Graph, known: ReadonlySet<Node>): readonly Value[] => {
  const needed = new Set<Value>()
  const asked: (Value | undefined)[] = graph.outputs.map(o => o.value)
  for (const node of graph.nodes) if (!known.has(node)) asked.push(...node.operands)
  const seen = new Set<Value>()
  // By index: the list grows while cheap nodes ask for their operands.
  for (let i = 0; i < asked.length; i++) {
    const value = asked[i]
    if (value?.node === undefined || seen.has(value) || !known.has(value.node)) continue
    seen.add(value)
    if (cheapToMake.has(value.node.op)) asked.push(...value.node.operands)
    else needed.add(value)
  }
  return [...needed]
}

/** Values that share work are one piece. */
const piecesOf = (needed: readonly Value[]): readonly Piece[] => {
  let pieces: Piece[] = []
  for (const value of needed) {
    const own = ancestorsOf([value])
    const shares = (piece: Piece): boolean =>
      [...own].some(n => n.op !== 'constant' && !cheapToMake.has(n.op) && piece.nodes.has(n))
    const joined = pieces.filter(shares)
    pieces = [
      ...pieces.filter(p => !joined.includes(p)),
      {
        nodes: new Set([...joined.flatMap(p => [...p.nodes]), ...own]),
        outputs: [...joined.flatMap(p => p.outputs), value],
      },
    ]
  }
  return pieces
}

const bytesOfValue = (value: Value): number => (countOf(value) ?? 0) * bytesOf[value.type.dtype]

/** Bytes behind the constants of a piece. */
const bytesIn = (nodes: ReadonlySet<Node>): number => {
  const seen = new Set<string>()
  let bytes = 0
  for (const node of nodes) {
    if (node.op !== 'constant') continue
    const data = node.attrs['data'] as ConstantData
    if (data.kind === 'inline') {
      bytes += data.values.length * bytesOf[node.results[0]?.type.dtype ?? 'f32']
      continue
    }
    const key = `${data.offset} ${data.length} ${data.source}`
    if (!seen.has(key)) bytes += data.length
    seen.add(key)
  }
  return bytes
}

/** The limit that a piece exceeds, in words, and what it would take of the work that is left. */
const judge = ({ nodes, outputs }: Piece, limits: PrepareLimits, workLeft: number): { work: number; over?: string } => {
  const given = bytesIn(nodes)
  const made = outputs.reduce((sum, v) => sum + bytesOfValue(v), 0)
  const work = [...nodes].reduce((sum, n) => sum + (n.op === 'constant' ? 0 : visitsOf(n)), 0)
  if (given + made > limits.prepareBytes)
    return { work, over: `${given + made} bytes, over prepareBytes = ${limits.prepareBytes}` }
  if (made > smallBytes && made > given * limits.prepareGrowth)
    return { work, over: `${made} bytes made of ${given}, over prepareGrowth = ${limits.prepareGrowth}` }
  if (work > workLeft)
    return { work, over: `${work} element visits, and of prepareWork = ${limits.prepareWork} are left ${workLeft}` }
  return { work }
}

const graphOf = (graph: Graph, { nodes, outputs }: Piece): Graph => {
  const builder = new GraphBuilder('prepare')
  const copies = new Map<Value, Value>()
  const copied = (v: Value | undefined): Value | undefined => v && copies.get(v)
  for (const node of graph.nodes) {
    if (!nodes.has(node)) continue
    builder.origin = node.origin
    const results = copyNode(node, node.operands.map(copied), builder)
    node.results.forEach((r, i) => {
      const copy = results[i]
      if (copy !== undefined) copies.set(r, copy)
    })
  }
  return builder.finish(
    Object.fromEntries(outputs.flatMap((v, i) => (copied(v) === undefined ? [] : [[`w${i}`, copied(v) as Value]]))),
  )
}

const prepare = (graph: Graph, context: PassContext): Graph => {
  const limits = { ...defaultPrepareLimits, ...context.limits }
  const known = knownNodes(graph.nodes)
  const constants = new Map<Value, ConstantData>()
  let work = limits.prepareWork
  for (const piece of piecesOf(neededOf(graph, known))) {
    const [first] = piece.outputs
    const at = first?.node?.origin,
      op = first?.node?.op ?? ''
    const verdict = judge(piece, limits, work)
    if (verdict.over !== undefined) {
      context.note([{ rule: `left to run time (${verdict.over})`, at, op }])
      continue
    }
    work -= verdict.work
    const data = context.prepare(graphOf(graph, piece))
    piece.outputs.forEach((value, i) => {
      const one = data[i]
      if (one !== undefined) constants.set(value, one)
    })
    context.note([{ rule: 'prepare-constants', at, op }])
  }
  const nested = graph.nodes.some(n => Object.values(n.attrs).some(isGraph))
  if (constants.size === 0 && !nested) return graph
  return transformGraph(graph, (node, operands, into) => {
    if (Object.values(node.attrs).some(isGraph)) {
      const attrs = Object.fromEntries(
        Object.entries(node.attrs).map(([name, value]) => [name, isGraph(value) ? prepare(value, context) : value]),
      )
      return into.addTyped(
        node.op,
        operands,
        attrs,
        node.results.map(r => r.type),
        node.results[0]?.name,
      )
    }
    if (!node.results.some(r => constants.has(r))) return undefined
    const kept = node.results.every(r => constants.has(r)) ? [] : copyNode(node, operands, into)
    return node.results.map((r, i) => {
      const data = constants.get(r)
      if (data === undefined) return kept[i] as Value
      const { dtype } = r.type
      const shape = r.type.shape.map(d => (d.kind === 'const' ? d.value : 0))
      return into.addTyped('constant', [], { data, dtype, shape }, [r.type], r.name)[0] as Value
    })
  })
}

export const prepareConstants: Pass = {
  name: 'prepare-constants',
  doc: 'What depends on constants only and is too large to fold is split off, compiled and run once, at build.',
  run: prepare,
}
