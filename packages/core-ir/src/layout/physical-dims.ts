/**
 * @file Layouts that are a list of physical dims: logical ones in another order, whole or cut into blocks. They have a text of
 * their own, `d0, d1 // 8, d2, d3, d1 % 8`, in which graphs, files of layouts and people name them.
 */
import { QuernError } from '@quern/artifact'
import { type Index, ceilDiv, constant, floorDiv, mod, roundUp } from '../index/index-expr.ts'
import { type Layout, logicalDim } from './layout.ts'

/** One physical dim: a logical one, or a part of it in blocks of `by`. */
export type PhysicalDim =
  | { readonly dim: number }
  | { readonly dim: number; readonly part: 'inside'; readonly by: number }
  /** `groups`: the number of blocks is rounded up to a multiple of it, for loops that read so many at once. */
  | { readonly dim: number; readonly part: 'block'; readonly by: number; readonly groups?: number }

/** Why the dims are no rearrangement of `rank` logical ones: each must be there whole, or once as block and once as inside. */
export const physicalDimsError = (dims: readonly PhysicalDim[], rank: number): string | undefined => {
  const outside = dims.find(x => x.dim >= rank)
  if (outside !== undefined) return `there is no dim ${outside.dim}`
  for (let d = 0; d < rank; d++) {
    const parts = dims.filter(x => x.dim === d)
    const whole = parts.length === 1 && parts.every(x => !('part' in x))
    const split =
      parts.length === 2 &&
      parts.every(x => 'part' in x) &&
      new Set(parts.map(x => 'part' in x && x.part)).size === 2 &&
      new Set(parts.map(x => 'by' in x && x.by)).size === 1
    if (!whole && !split) return `dim ${d} must be there whole, or once as block and once as inside`
  }
  return undefined
}

/** The layout of a logical shape; the last block of a dim is padded. */
export const layoutOfDims = (dims: readonly PhysicalDim[], shape: readonly Index[]): Layout => {
  const extent = (x: PhysicalDim): Index => shape[x.dim] ?? constant(1)
  return {
    map: dims.map(x =>
      !('part' in x)
        ? logicalDim(x.dim)
        : x.part === 'block'
          ? floorDiv(logicalDim(x.dim), x.by)
          : mod(logicalDim(x.dim), x.by),
    ),
    shape: dims.map(x =>
      !('part' in x)
        ? extent(x)
        : x.part === 'block'
          ? roundUp(ceilDiv(extent(x), x.by), x.groups ?? 1)
          : constant(x.by),
    ),
  }
}

/** Whether the dims are the logical ones in their order. */
export const isPlain = (dims: readonly PhysicalDim[]): boolean => dims.every((x, i) => x.dim === i && !('part' in x))

export const printPhysicalDims = (dims: readonly PhysicalDim[]): string =>
  dims.map(x => (!('part' in x) ? `d${x.dim}` : `d${x.dim} ${x.part === 'block' ? '//' : '%'} ${x.by}`)).join(', ')

/** @throws a coded error for what is not such a text */
export const parsePhysicalDims = (text: string): readonly PhysicalDim[] =>
  text.trim() === ''
    ? []
    : text.split(',').map((piece): PhysicalDim => {
        const [whole, dim, sign, by] = /^\s*d(\d{1,2})(?:\s*(\/\/|%)\s*(\d{1,6}))?\s*$/.exec(piece) ?? []
        if (whole === undefined || (by !== undefined && Number(by) < 1))
          throw new QuernError(
            'layout/not-dims',
            `a layout is a list of dims such as d0, d2, d3, d1, or d1 // 8 and d1 % 8, and ${JSON.stringify(piece.trim())} is none`,
            { text },
          )
        if (sign === undefined) return { dim: Number(dim) }
        return { dim: Number(dim), part: sign === '//' ? 'block' : 'inside', by: Number(by) }
      })
