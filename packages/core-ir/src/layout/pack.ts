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

/**
 * Packs row-major bytes as they arrive, into `out`, which is zero.
 * @returns takes the next rows: bytes of whole ones, a row being what the last dim counts
 */
export const packingInto = (
  out: Uint8Array,
  dtype: DType,
  shape: readonly number[],
  layout: Layout,
): ((bytes: Uint8Array) => void) => {
  if (shape.includes(0)) return () => {}
  const rowBytes = (shape.at(-1) ?? 1) * bytesOf[dtype]
  const rows = rowsOf(shape, layout, noSymbols)
  let next = 0
  return bytes => {
    const count = bytes.byteLength / rowBytes
    moveSome(bytes, out, dtype, shape, rows, next, count, 'pack')
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
type Rows = (first: number, count: number, visit: (base: number, places: Places | undefined) => void) => void

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
  const count = shape.slice(0, -1).reduce((n, d) => n * d, 1)
  moveSome(rowMajor, packed, dtype, shape, rowsOf(shape, layout, symbols), 0, count, direction)
}

/** Moves `count` rows from the `first` on, which `rowMajor` holds. */
const moveSome = (
  rowMajor: Uint8Array,
  packed: Uint8Array,
  dtype: DType,
  shape: readonly number[],
  rows: Rows,
  first: number,
  count: number,
  direction: 'pack' | 'unpack',
): void => {
  const size = bytesOf[dtype]
  const inner = shape.at(-1) ?? 1
  const span = packed.byteLength / size
  const move = mover(rowMajor, packed, size, direction)
  let row = 0
  rows(first, count, (base, places) => {
    move(row, base, places, inner, span)
    row += inner
  })
}

const rowsOf = (shape: readonly number[], layout: Layout, symbols: Environment): Rows => {
  const { strides, offset } = physical(layout, symbols)
  const at = shape.map(() => 0)
  const tables = shape.map(d => new Int32Array(d))
  const inner = shape.length - 1
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
  if (separable) {
    const last = tables[inner]
    const contiguous = last === undefined || last.every((t, i) => t === (last[0] ?? 0) + i)
    const places = last === undefined ? undefined : placesOf(last)
    return (first, count, visit) =>
      outer(first, count, () => {
        let base = constant
        for (let d = 0; d < inner; d++) base += tables[d]?.[at[d] ?? 0] ?? 0
        if (contiguous) visit(base + (last?.[0] ?? 0), undefined)
        else visit(base, places)
      })
  }
  const maps = layout.map.map(m => compileIndex(m, resolver(symbols, at)))
  const table = new Int32Array(shape[inner] ?? 1)
  return (first, count, visit) =>
    outer(first, count, () => {
      for (let i = 0; i < table.length; i++) {
        at[inner] = i
        table[i] = maps.reduce((sum, m, j) => sum + m() * (strides[j] ?? 0), offset)
      }
      visit(0, placesOf(table))
    })
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
