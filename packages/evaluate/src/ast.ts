/** @file Walks a syntax tree by its shape alone: what instrumentation needs of ESTree, whatever the parser adds to it. */

export interface AstNode {
  readonly type: string
  readonly start: number
  readonly end: number
  readonly [key: string]: unknown
}

export const isNode = (x: unknown): x is AstNode =>
  typeof x === 'object' &&
  x !== null &&
  typeof (x as { type?: unknown }).type === 'string' &&
  'start' in x &&
  'end' in x

/** The nodes directly below, in the order of the tree's fields. */
export function* children(node: AstNode): Iterable<{ readonly key: string; readonly child: AstNode }> {
  for (const [key, value] of Object.entries(node)) {
    if (isNode(value)) yield { key, child: value }
    else if (Array.isArray(value)) for (const item of value) if (isNode(item)) yield { key, child: item }
  }
}

const wrappers = new Set([
  'ParenthesizedExpression',
  'TSAsExpression',
  'TSSatisfiesExpression',
  'TSNonNullExpression',
  'TSInstantiationExpression',
])

/** The expression inside parentheses and type assertions. */
export const unwrap = (node: AstNode): AstNode => {
  let inner = node
  while (wrappers.has(inner.type) && isNode(inner['expression'])) inner = inner['expression']
  return inner
}

/** `a.b.c` as a chain of plain names, or `undefined`: such a callee is short enough to underline as a whole. */
export const memberText = (node: AstNode): string | undefined => {
  if (node.type === 'Identifier' || node.type === 'ThisExpression') return String(node['name'] ?? 'this')
  if (node.type !== 'MemberExpression' || node['computed'] === true) return undefined
  const { object, property } = node
  const left = isNode(object) ? memberText(object) : undefined
  return left === undefined || !isNode(property) ? undefined : `${left}.${String(property['name'])}`
}
