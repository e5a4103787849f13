/** @file Which family of schedules a node belongs to: the word that a region carries. */
import { type Node, ix, opNamed } from '@quern/core-ir'

export const regionKinds = [
  'elementwise',
  'reduction',
  'contraction',
  'convolution',
  'depthwise',
  'pool',
  'row',
  'gather',
  'scatter',
  'scan',
  'sort',
  'loops',
] as const
export type RegionKind = (typeof regionKinds)[number]

/** Composites that one kernel computes whole; all others are decomposed before regions are formed. */
export const rowComposites: ReadonlySet<string> = new Set(['softmax', 'log-softmax', 'layer-norm'])

const kindOfOp: Readonly<Record<string, RegionKind>> = {
  matmul: 'contraction',
  conv: 'convolution',
  'max-pool': 'pool',
  'avg-pool': 'pool',
  gather: 'gather',
  scatter: 'scatter',
  'scatter-nd': 'scatter',
  cumsum: 'scan',
  sort: 'sort',
  'top-k': 'sort',
}

export const kindOf = (node: Node): RegionKind => {
  if (rowComposites.has(node.op)) return 'row'
  const kind = kindOfOp[node.op]
  if (kind === 'convolution') return isDepthwise(node) ? 'depthwise' : kind
  if (kind !== undefined) return kind
  switch (opNamed(node.op).class) {
    case 'contraction':
      return 'contraction'
    case 'reduction':
      return 'reduction'
    case 'loops':
      return 'loops'
    default:
      return 'elementwise'
  }
}

/** One input channel a group. */
const isDepthwise = (node: Node): boolean => {
  const { groups } = node.attrs
  const channels = node.operands[0]?.type.shape[1]
  return typeof groups === 'number' && groups > 1 && channels !== undefined && ix.isConst(channels, groups)
}

/** Kinds that take element-wise work on their result into their own kernel. */
export const takesEpilogue: ReadonlySet<RegionKind> = new Set([
  'reduction',
  'contraction',
  'convolution',
  'depthwise',
  'pool',
])
/** Kinds that read an element about once, so that element-wise work on their operands costs nothing when repeated. */
export const takesPrologue: ReadonlySet<RegionKind> = new Set(['elementwise', 'gather', 'reduction'])
