/**
 * @file Lays out row-major data physically, and back. Where the layout's map is separable (each part reads one logical dim,
 * as permutations, splits and pads do), positions are sums of one table for each dim, so packing is a pass of table look-ups;
 * any other map is evaluated for each element.
 */
import { type DType, QuernError, bytesOf } from '@quern/artifact'
import { type Index, rowMajorStrides, split, visitAtoms } from '../index/index-expr.ts'
import { compileIndex } from '../scalar/evaluate.ts'
import type { Layout } from './layout.ts'

export type Environment = ReadonlyMap<string, number>
const noSymbols: Environment = new Map()

/** Physical elements of a layout: from the start to the last one it reaches. */
export const layoutSpan = (layout: Layout, symbols: Environment = noSymbols): number => {
  const { shape, strides, offset } = physical(layout, symbols)
  return shape.includes(0) ? 0 : shape.reduce((last, d, i) => last + (d - 1) * (strides[i] ?? 0), offset) + 1
}

/** The physical bytes of row-major ones; what no element stands on is zero. */
export const packConstant = (
  bytes: Uint8Array,
  dtype: DType,
  shape: readonly number[],
  layout: Layout,
  symbols: Environment = noSymbols,
): Uint8Array<ArrayBuffer> => {
  checkBytes(bytes, dtype, shape)
  const out = new Uint8Array(layoutSpan(layout, symbols) * bytesOf[dtype])
  moveRows(bytes, out, dtype, shape, layout, symbols, 'pack')
  return out
}

/** The first of the last dims that are moved together as a row: those of a small window are no work for a loop each. */
const rowFrom = (shape: readonly number[]): number => {
  let from = Math.max(0, shape.length - 1)
  const elements = (d: number): number => shape.slice(d).reduce((n, e) => n * e, 1)
  while (from > 0 && elements(from - 1) <= 4096) from--
  return from
}

const elementsFrom = (shape: readonly number[], from: number): number => shape.slice(from).reduce((n, d) => n * d, 1)

/** Elements of a row, as packing is quickest: see {@link packingInto}. */
export const rowElements = (shape: readonly number[]): number => elementsFrom(shape, rowFrom(shape))

/**
 * Packs row-major bytes as they arrive, into `out`, which is zero.
 * @returns takes the next elements: bytes of whole rows, a row being what the last dim counts; quickest in multiples of {@link rowElements}
 */
export const packingInto = (
  out: Uint8Array,
  dtype: DType,
  shape: readonly number[],
  layout: Layout,
): ((bytes: Uint8Array) => void) => {
  if (shape.includes(0)) return () => {}
  const long = rowsOf(shape, layout, noSymbols, rowFrom(shape))
  let short: Rows | undefined
  let next = 0
  return bytes => {
    const count = bytes.byteLength / bytesOf[dtype]
    const whole = [next, count].every(n => n % long.elements === 0)
    const rows = whole ? long : (short ??= rowsOf(shape, layout, noSymbols, Math.max(0, shape.length - 1)))
    moveSome(bytes, out, dtype, rows, next, count, 'pack')
    next += count
  }
}

/** The row-major bytes of physical ones: the inverse of {@link packConstant}. */
export const unpackLayout = (
  bytes: Uint8Array,
  dtype: DType,
  shape: readonly number[],
  layout: Layout,
  symbols: Environment = noSymbols,
): Uint8Array<ArrayBuffer> => {
  const out = new Uint8Array(shape.reduce((n, d) => n * d, bytesOf[dtype]))
  moveRows(out, bytes, dtype, shape, layout, symbols, 'unpack')
  return out
}

const checkBytes = (bytes: Uint8Array, dtype: DType, shape: readonly number[]): void => {
  const needed = shape.reduce((n, d) => n * d, bytesOf[dtype])
  if (bytes.byteLength !== needed)
    throw new QuernError(
      'layout/wrong-size',
      `${dtype}[${shape.join(',')}] has ${needed} bytes, not ${bytes.byteLength}`,
      {
        dtype,
        shape: [...shape],
        bytes: bytes.byteLength,
      },
    )
}

const physical = (layout: Layout, symbols: Environment) => {
  const value = (x: Index): number => compileIndex(x, resolver(symbols, []))()
  return {
    shape: layout.shape.map(value),
    strides: (layout.strides ?? rowMajorStrides(layout.shape)).map(value),
    offset: layout.offset === undefined ? 0 : value(layout.offset),
  }
}

const resolver = (symbols: Environment, at: readonly number[]) => ({
  variable: (name: string) => {
    const dim = /^d(\d+)$/.exec(name)?.[1]
    if (dim !== undefined && Number(dim) < at.length) return () => at[Number(dim)] ?? 0
    const value = symbols.get(name)
    if (value === undefined)
      throw new QuernError('layout/unbound-symbol', `the layout mentions ${name}, whose value is not known`, {
        symbol: name,
      })
    return () => value
  },
  ref: unsupported,
  load: unsupported,
})
const unsupported = (): never => {
  throw new QuernError('layout/reads-data', 'a layout cannot depend on data')
}

/** Positions of the elements of a row beyond its base, and the ends of their range. */
interface Places {
  readonly table: Int32Array
  readonly low: number
  readonly high: number
}

/** Gives the physical positions of the elements of some rows in turn: a base, and places where they are not contiguous. */
interface Rows {
  /** Elements of a row. */
  readonly elements: number
  each(first: number, count: number, visit: (base: number, places: Places | undefined) => void): void
}

const moveRows = (
  rowMajor: Uint8Array,
  packed: Uint8Array,
  dtype: DType,
  shape: readonly number[],
  layout: Layout,
  symbols: Environment,
  direction: 'pack' | 'unpack',
): void => {
  if (shape.includes(0)) return
  const rows = rowsOf(shape, layout, symbols, rowFrom(shape))
  moveSome(rowMajor, packed, dtype, rows, 0, elementsFrom(shape, 0), direction)
}

/** Moves `count` elements from the `first` on, which `rowMajor` holds: whole rows. */
const moveSome = (
  rowMajor: Uint8Array,
  packed: Uint8Array,
  dtype: DType,
  rows: Rows,
  first: number,
  count: number,
  direction: 'pack' | 'unpack',
): void => {
  const { elements } = rows
  const span = packed.byteLength / bytesOf[dtype]
  const move = mover(rowMajor, packed, bytesOf[dtype], direction)
  let row = 0
  rows.each(first / elements, count / elements, (base, places) => {
    move(row, base, places, elements, span)
    row += elements
  })
}

/** @param inner the first dim that is inside a row */
const rowsOf = (shape: readonly number[], layout: Layout, symbols: Environment, inner: number): Rows => {
  const { strides, offset } = physical(layout, symbols)
  const at = shape.map(() => 0)
  const tables = shape.map(d => new Int32Array(d))
  const separable = layout.map.every((m, j) => addToTables(m, strides[j] ?? 0, shape, tables, symbols, at))
  const constant = layout.map.reduce((sum, m, j) => sum + split(m).offset * (strides[j] ?? 0), offset)
  /** Calls `visit` with the outer dims at the place of each row, as an odometer counts. */
  const outer = (first: number, count: number, visit: () => void): void => {
    let rest = first
    for (let d = inner - 1; d >= 0; d--) {
      const extent = shape[d] ?? 1
      at[d] = rest % extent
      rest = Math.floor(rest / extent)
    }
    for (let row = 0; row < count; row++) {
      visit()
      for (let d = inner - 1; d >= 0; d--) {
        const next = (at[d] ?? 0) + 1
        at[d] = next < (shape[d] ?? 1) ? next : 0
        if (at[d] !== 0) break
      }
    }
  }
  const row = new Int32Array(elementsFrom(shape, inner))
  if (separable) {
    tables.slice(inner).forEach((table, i) => {
      const below = elementsFrom(shape, inner + i + 1)
      for (let e = 0; e < row.length; e++) row[e] = (row[e] ?? 0) + (table[Math.floor(e / below) % table.length] ?? 0)
    })
    const places = placesOf(row)
    const contiguous = row.every((t, i) => t === (row[0] ?? 0) + i)
    const each: Rows['each'] = (first, count, visit) =>
      outer(first, count, () => {
        let base = constant
        for (let d = 0; d < inner; d++) base += tables[d]?.[at[d] ?? 0] ?? 0
        if (contiguous) visit(base + (row[0] ?? 0), undefined)
        else visit(base, places)
      })
    return { elements: row.length, each }
  }
  const maps = layout.map.map(m => compileIndex(m, resolver(symbols, at)))
  const each: Rows['each'] = (first, count, visit) =>
    outer(first, count, () => {
      for (let e = 0; e < row.length; e++) {
        let rest = e
        for (let d = shape.length - 1; d >= inner; d--) {
          at[d] = rest % (shape[d] ?? 1)
          rest = Math.floor(rest / (shape[d] ?? 1))
        }
        row[e] = maps.reduce((sum, m, j) => sum + m() * (strides[j] ?? 0), offset)
      }
      visit(0, placesOf(row))
    })
  return { elements: row.length, each }
}

/** Adds what each term of `map` gives for each position of its one dim; false where a term reads several dims. */
const addToTables = (
  map: Index,
  stride: number,
  shape: readonly number[],
  tables: readonly Int32Array[],
  symbols: Environment,
  at: number[],
): boolean => {
  for (const term of split(map).terms) {
    const dims = new Set<number>()
    for (const factor of term.factors)
      visitAtoms(factor, atom => {
        const dim = atom.kind === 'var' ? /^d(\d+)$/.exec(atom.name)?.[1] : undefined
        if (dim !== undefined && Number(dim) < shape.length) dims.add(Number(dim))
      })
    if (dims.size > 1) return false
    // A term without a dim (a symbol) counts once: in the table of the first dim.
    const [dim = 0] = dims
    const table = tables[dim]
    if (table === undefined) return false
    const factors = term.factors.map(f => compileIndex(f, resolver(symbols, at)))
    for (let i = 0; i < table.length; i++) {
      at[dim] = i
      table[i] = (table[i] ?? 0) + factors.reduce((p, f) => p * f(), term.coef * stride)
    }
    at[dim] = 0
  }
  return true
}

/**
 * Moves one row of elements of `size` bytes between its row-major place and its packed ones. A model's weights pass here
 * element by element: what is the same for a row is settled before its loop.
 */
const mover = (rowMajor: Uint8Array, packed: Uint8Array, size: number, direction: 'pack' | 'unpack') => {
  const [inOrder, laidOut] = [words(rowMajor, size), words(packed, size)]
  const aligned = inOrder !== undefined && laidOut !== undefined
  const [flat, apart] = aligned ? [inOrder, laidOut] : [rowMajor, packed]
  const each = size / flat.BYTES_PER_ELEMENT
  return (first: number, base: number, places: Places | undefined, count: number, span: number): void => {
    if (places === undefined) {
      checkInside(base, base + count - 1, span)
      const [from, a, to, b] = direction === 'pack' ? [flat, first, apart, base] : [apart, base, flat, first]
      to.set(from.subarray(a * each, (a + count) * each), b * each)
      return
    }
    const { table, low, high } = places
    checkInside(base + low, base + high, span)
    if (direction === 'pack')
      for (let i = 0; i < count; i++) {
        const at = (base + (table[i] ?? 0)) * each
        const from = (first + i) * each
        for (let w = 0; w < each; w++) apart[at + w] = flat[from + w] ?? 0
      }
    else
      for (let i = 0; i < count; i++) {
        const at = (base + (table[i] ?? 0)) * each
        const to = (first + i) * each
        for (let w = 0; w < each; w++) flat[to + w] = apart[at + w] ?? 0
      }
  }
}

const placesOf = (table: Int32Array): Places => {
  let low = Infinity,
    high = -Infinity
  for (const place of table) {
    low = Math.min(low, place)
    high = Math.max(high, place)
  }
  return { table, low, high }
}

const checkInside = (low: number, high: number, span: number): void => {
  if (low >= 0 && high < span) return
  const position = low < 0 ? low : high
  throw new QuernError(
    'layout/outside',
    `the layout maps an element to position ${position}, and has ${span} of them`,
    {
      position,
    },
  )
}

/** Integer words over bytes, so that no bits of a NaN change; undefined where they are not aligned. */
const words = (bytes: Uint8Array, size: number): Uint8Array | Uint16Array | Uint32Array | undefined => {
  const width = Math.min(size, 4)
  if (bytes.byteOffset % width !== 0) return undefined
  const view = width === 1 ? Uint8Array : width === 2 ? Uint16Array : Uint32Array
  return new view(bytes.buffer as ArrayBuffer, bytes.byteOffset, bytes.byteLength / width)
}
