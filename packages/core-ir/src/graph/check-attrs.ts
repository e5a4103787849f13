/** @file Holds the attributes of a node against what its op takes: names, kinds, choices. */
import { QuernError, dtypes } from '@quern/artifact'
import { inWords } from '../diagnostics/in-words.ts'
import type { Span } from '../diagnostics/span.ts'
import type { AnyOp, AttrKind } from '../ops/define-op.ts'
import type { AttrValue, Attrs } from './graph.ts'

const isRecord = (x: unknown): x is Readonly<Record<string, unknown>> => typeof x === 'object' && x !== null
const isSize = (x: unknown): boolean => Number.isSafeInteger(x) || (isRecord(x) && typeof x['key'] === 'string')

/** Whether a value is what an attribute holds, before it is in canonical form. */
const isOfKind: Readonly<Record<AttrKind, (x: unknown) => boolean>> = {
  int: Number.isSafeInteger,
  ints: x => Array.isArray(x) && x.every(Number.isSafeInteger),
  float: x => typeof x === 'number' || typeof x === 'bigint',
  bool: x => typeof x === 'boolean',
  string: x => typeof x === 'string',
  strings: x => Array.isArray(x) && x.every(s => typeof s === 'string'),
  dtype: x => dtypes.some(d => d === x),
  dim: x => isSize(x),
  dims: x => Array.isArray(x) && x.every(isSize),
  graph: x => isRecord(x) && x['kind'] === 'graph',
  constant: isRecord,
}

const kindWords = {
  int: 'a whole number',
  ints: 'a list of whole numbers',
  float: 'a number',
  bool: 'true or false',
  string: 'a text',
  strings: 'a list of texts',
  dtype: `a dtype (${dtypes.join(', ')})`,
  dim: 'a size',
  dims: 'a list of sizes',
  graph: 'a graph',
  constant: 'constant data',
} as const satisfies Record<AttrKind, string>

/** Lists of numbers are short enough to be shown. */
const said = (value: AttrValue): string =>
  Array.isArray(value) && value.length < 8 && value.every(v => typeof v !== 'object')
    ? `[${value.map(inWords).join(', ')}]`
    : inWords(value)

/** @throws a coded error for an attribute that is missing, unknown or not of its kind */
export const checkAttrs = (op: AnyOp, attrs: Attrs, origin: Span | undefined): void => {
  for (const [name, spec] of Object.entries(op.attrs)) {
    const value = attrs[name] ?? spec.default
    if (value === undefined)
      throw new QuernError(`${op.name}/missing-attribute`, `${op.name} needs the attribute ${name}: ${spec.doc}`, {
        op: op.name,
        attribute: name,
        origin,
      })
    if (spec.oneOf !== undefined && !(typeof value === 'string' && spec.oneOf.includes(value)))
      throw new QuernError(
        `${op.name}/unknown-${name}`,
        `${op.name} takes ${name} = ${spec.oneOf.join(' | ')}, not ${inWords(value)}`,
        { op: op.name, attribute: name, origin },
      )
    if (!isOfKind[spec.kind](value))
      throw new QuernError(
        `${op.name}/${name}-kind`,
        `${op.name} takes ${kindWords[spec.kind]} as ${name}, not ${said(value)}: ${spec.doc}`,
        { op: op.name, attribute: name, origin },
      )
  }
  for (const name of Object.keys(attrs))
    if (!Object.hasOwn(op.attrs, name))
      throw new QuernError(
        `${op.name}/unknown-attribute`,
        `${op.name} has no attribute ${name}; it has ${Object.keys(op.attrs).join(', ') || 'none'}`,
        { op: op.name, attribute: name, origin },
      )
}
