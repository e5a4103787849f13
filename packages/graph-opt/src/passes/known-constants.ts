/** @file Which nodes depend on constants only, and what it would take to compute them at build. */
import { type Node, type Value, isGraph, ix, opNamed } from '@quern/core-ir'

/** These only repeat or count: storing what they make costs more than making it. */
export const repeating: ReadonlySet<string> = new Set(['broadcast', 'iota', 'dim-value'])
/** These rename besides, which costs nothing at run time. */
export const cheapToMake: ReadonlySet<string> = new Set([...repeating, 'reshape', 'identity'])

/** Elements of a value whose shape is known at build. */
export const countOf = (value: Value): number | undefined => {
  const count = ix.product(value.type.shape)
  return ix.isConst(count) && value.type.shape.every(d => ix.isConst(d)) ? count.value : undefined
}

/** Whether an attribute is an expression over symbols, whose values a run knows first. */
const mentionsSymbols = (node: Node): boolean =>
  Object.entries(opNamed(node.op).attrs).some(([name, { kind }]) => {
    if (kind !== 'dim' && kind !== 'dims') return false
    const value = node.attrs[name]
    const dims = Array.isArray(value) ? value : [value]
    return dims.some(d => d !== undefined && d !== null && typeof d === 'object' && 'key' in d && !ix.isConst(d))
  })

/** Whether a node could be computed at build, were its operands known. */
export const isComputable = (node: Node): boolean => {
  const op = opNamed(node.op)
  return (
    op.class !== 'control' &&
    op.class !== 'region' &&
    op.class !== 'constant' &&
    op.defines === undefined &&
    !mentionsSymbols(node) &&
    !Object.values(node.attrs).some(isGraph) &&
    node.results.every(r => countOf(r) !== undefined)
  )
}

/** The nodes that depend on constants only, constants themselves left out. */
export const knownNodes = (nodes: readonly Node[]): ReadonlySet<Node> => {
  const known = new Set<Node>()
  for (const node of nodes)
    if (
      isComputable(node) &&
      node.operands.every(
        v => v === undefined || (v.node !== undefined && (v.node.op === 'constant' || known.has(v.node))),
      )
    )
      known.add(node)
  return known
}

/** What values are computed from, constants included. */
export const ancestorsOf = (values: readonly Value[]): ReadonlySet<Node> => {
  const found = new Set<Node>()
  const stack = values.map(v => v.node)
  for (let node = stack.pop(); stack.length > 0 || node !== undefined; node = stack.pop()) {
    if (node === undefined || found.has(node)) continue
    found.add(node)
    stack.push(...node.operands.flatMap(v => v?.node ?? []))
  }
  return found
}

/**
 * Element visits of a node, roughly. A contraction's inner extent is the geometric mean that a plain matrix product has; a
 * sort or a scan looks at an element a few dozen times.
 */
export const visitsOf = (node: Node): number => {
  const sizes = node.operands.flatMap(v => (v === undefined ? [] : [countOf(v) ?? Infinity]))
  const read = sizes.reduce((a, b) => a + b, 0)
  const made = node.results.reduce((sum, v) => sum + (countOf(v) ?? Infinity), 0)
  switch (opNamed(node.op).class) {
    case 'contraction':
      return made === 0 ? read : read + made * Math.sqrt(sizes.reduce((a, b) => a * b, 1) / made)
    case 'loops':
      return 32 * (read + made)
    default:
      return read + made
  }
}
