/** @file Parses attribute values, each by the kind its op declares. */
import type { AttrValue, ConstantData, Graph } from '../graph/graph.ts'
import type { AttrKind } from '../ops/define-op.ts'
import type { Cursor } from './cursor.ts'
import { parseIndexAt, parseShape } from './parse-index.ts'

export const parseAttr = (c: Cursor, kind: AttrKind, nested: (c: Cursor) => Graph): AttrValue =>
  c.accept('null') ? null : readers[kind](c, nested)

const readers = {
  int: c => c.integer(),
  ints: c => parseList(c, () => c.integer()),
  float: c => c.number(),
  bool: c => c.oneOf(['true', 'false'], 'true or false') === 'true',
  string: c => c.name('a string'),
  strings: c => parseList(c, () => c.name('a string')),
  dtype: c => c.dtype(),
  dim: c => parseIndexAt(c),
  dims: c => parseShape(c),
  graph: (c, nested) => nested(c),
  constant: c => parseConstant(c),
} as const satisfies Record<AttrKind, (c: Cursor, nested: (c: Cursor) => Graph) => AttrValue>

const parseList = <T>(c: Cursor, item: () => T): T[] => {
  c.expect('[')
  return c.list(']', item)
}

const parseNumber = (c: Cursor): number | bigint => {
  const negative = c.is('-') && c.peek(1).kind === 'bigint'
  if (negative) c.next()
  if (c.peek().kind !== 'bigint') return c.number()
  const value = BigInt(c.next().text.slice(0, -1))
  return negative ? -value : value
}

export const parseConstant = (c: Cursor): ConstantData => {
  if (!c.accept('bytes')) return { kind: 'inline', values: parseList(c, () => parseNumber(c)) }
  c.expect('(')
  const source = c.string('the name of a source')
  c.expect(',')
  const offset = c.integer()
  c.expect(',')
  const length = c.integer()
  c.expect(',')
  const hash = c.string('a hash')
  c.expect(')')
  return { kind: 'bytes', source, offset, length, hash }
}
