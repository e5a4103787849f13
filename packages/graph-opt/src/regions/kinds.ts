/** @file Which family of schedules a node belongs to, and what each family takes into its kernels. */
import { type Node, type RegionKind, ix, opNamed } from '@quern/core-ir'

/** A composite that one kernel computes whole; all others are decomposed before regions are formed. */
export const isComputedWhole = (node: Node): boolean => {
  const { class: kind, family } = opNamed(node.op)
  return kind === 'composite' && family !== undefined
}

export const kindOf = (node: Node): RegionKind => {
  const { class: kind, family } = opNamed(node.op)
  if (family === 'convolution') return isDepthwise(node) ? 'depthwise' : family
  if (family !== undefined) return family
  switch (kind) {
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
/** Kinds that read a part of something larger as well as the whole, though they read it again and again. */
export const takesCuts: ReadonlySet<RegionKind> = new Set(['contraction'])

/** Neighbours stay neighbours in a cut: it only says where reading begins. */
export const isCut = ({ op, attrs }: Node): boolean =>
  op === 'slice' && (attrs['steps'] as readonly number[]).every(step => step === 1)
