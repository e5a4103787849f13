/** @file Symbols that ops define at run time: names while tracing, unlike each other, and names in the graph, for people. */
import { type AttrValue, type Index, type SymbolInfo, type Symbols, type TensorType, ix } from '@quern/core-ir'

/** How many were made. One per realm: two tensors of one model may be made far apart, and must not share a symbol by chance. */
const made = { count: 0 }

/** No dim that a person names has this in it; graphs have other names: see {@link SymbolNames}. */
const mark = '#'

/** The trace-time name of a symbol that an op defines. */
export const freshName = (hint: string): string => `${hint}${mark}${made.count++}`

/** Whether it is the name of a symbol that an op defines. */
export const isFresh = (name: string): boolean => name.includes(mark)

/** Gives the data-defined symbols of one entry short names, in the order in which they are met, so that text never depends on what else was traced. */
export class SymbolNames {
  private readonly names = new Map<string, string>()
  private readonly taken: Set<string>

  /** @param taken names of the dims that callers bind */
  constructor(taken: Iterable<string>) {
    this.taken = new Set(taken)
  }

  name(traced: string): string {
    const at = traced.indexOf(mark)
    if (at < 0) return traced
    const known = this.names.get(traced)
    if (known !== undefined) return known
    const hint = traced.slice(0, at)
    let name = hint
    for (let i = 1; this.taken.has(name); i++) name = `${hint}_${i}`
    this.taken.add(name)
    this.names.set(traced, name)
    return name
  }

  index(x: Index): Index {
    return ix.mapAtoms(x, atom => (atom.kind === 'var' ? ix.variable(this.name(atom.name)) : undefined))
  }
  type({ dtype, shape }: TensorType): TensorType {
    return { dtype, shape: shape.map(d => this.index(d)) }
  }
  symbols(table: Symbols): Map<string, SymbolInfo> {
    return new Map(
      [...table.values()].map(s => {
        const name = this.name(s.name)
        return [name, { ...s, name, ...(s.upper !== undefined && { upper: this.index(s.upper) }) }]
      }),
    )
  }
  attr(value: AttrValue): AttrValue {
    if (isList(value)) return value.map(v => this.attr(v))
    return isIndex(value) ? this.index(value) : value
  }
}

const isList = (value: AttrValue): value is readonly AttrValue[] => Array.isArray(value)
const isIndex = (value: AttrValue): value is Index => typeof value === 'object' && value !== null && 'key' in value
