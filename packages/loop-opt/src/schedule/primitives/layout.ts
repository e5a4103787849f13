/** @file layout: the elements of a param, or of a local buffer, in another physical order. */
import { type Index, type Layout, applyLayout, ix, logicalDim } from '@quern/core-ir'
import { scheduleError } from '../error.ts'
import { declOf } from '../locate.ts'
import { primitive } from '../schedule.ts'
import { editStmts, rewriteStmts } from '../tree.ts'

/** One physical dim: a logical one, or a part of it in blocks of `by`. */
export type PhysicalDim =
  | { readonly dim: number }
  | { readonly dim: number; readonly part: 'inside'; readonly by: number }
  /** `groups`: the number of blocks is rounded up to a multiple of it, for loops that read so many at once. */
  | { readonly dim: number; readonly part: 'block'; readonly by: number; readonly groups?: number }

/**
 * `layout('b', [{ dim: 1, part: 'block', by: 8 }, { dim: 0 }, { dim: 1, part: 'inside', by: 8 }])`:
 *
 *     read b: f32[k, n]      … b[p, j] …   →   read b: f32[ceil(n / 8), k, 8]      … b[j // 8, p, j % 8] …
 *
 * Every logical dim must be there, whole or as block and inside. The last block of a param is padded with zeros by who packs
 * it, and the schedule's `layouts` tell the plan; a local buffer has whole blocks only, since nobody fills its padding.
 */
export const layout = primitive('layout', (s, buffer: string, dims: readonly PhysicalDim[]) => {
  const decl = declOf(s.kernel, buffer)
  if (decl === undefined)
    throw scheduleError(s.kernel, 'layout', 'no-such-buffer', `${s.kernel.name} has no buffer ${buffer}`, buffer)
  if (s.layouts.has(buffer) || decl.strides !== undefined || decl.offset !== undefined)
    throw scheduleError(s.kernel, 'layout', 'has-one', `${buffer} already has a layout`, buffer)
  decl.shape.forEach((_, d) => {
    const parts = dims.filter(x => x.dim === d)
    const whole = parts.length === 1 && parts.every(x => !('part' in x))
    const split =
      parts.length === 2 &&
      parts.every(x => 'part' in x) &&
      new Set(parts.map(x => 'part' in x && x.part)).size === 2 &&
      new Set(parts.map(x => 'by' in x && x.by)).size === 1
    if (!whole && !split)
      throw scheduleError(
        s.kernel,
        'layout',
        'not-a-bijection',
        `dim ${d} of ${buffer} must be there whole, or once as block and once as inside`,
        buffer,
      )
  })
  const extent = (x: PhysicalDim): Index => decl.shape[x.dim] ?? ix.constant(1)
  const blocks = (x: Extract<PhysicalDim, { part: 'block' }>): Index =>
    ix.roundUp(ix.ceilDiv(extent(x), x.by), x.groups ?? 1)
  const isParam = s.kernel.params.some(p => p.name === buffer)
  const cut = dims.find(
    x => 'part' in x && x.part === 'block' && !ix.isConst(ix.mod(extent(x), x.by * (x.groups ?? 1)), 0),
  )
  if (!isParam && cut !== undefined)
    throw scheduleError(
      s.kernel,
      'layout',
      'local-padding',
      `the last block of dim ${cut.dim} of ${buffer} would have padding that nobody fills`,
      buffer,
    )
  const result: Layout = {
    map: dims.map(x =>
      !('part' in x)
        ? logicalDim(x.dim)
        : x.part === 'block'
          ? ix.floorDiv(logicalDim(x.dim), x.by)
          : ix.mod(logicalDim(x.dim), x.by),
    ),
    shape: dims.map(x => (!('part' in x) ? extent(x) : x.part === 'block' ? blocks(x) : ix.constant(x.by))),
  }
  const body = rewriteStmts(s.kernel.body, {
    access: (name, indices) => (name === buffer ? { buffer: name, indices: applyLayout(result, indices) } : undefined),
  })
  return {
    kernel: {
      ...s.kernel,
      params: s.kernel.params.map(p => (p.name === buffer ? { ...p, shape: result.shape } : p)),
      body: isParam
        ? body
        : editStmts(body, x =>
            x.kind === 'alloc' && x.buffer.name === buffer
              ? [{ ...x, buffer: { ...x.buffer, shape: result.shape } }]
              : undefined,
          ),
    },
    ...(isParam && { layouts: new Map([...s.layouts, [buffer, result]]) }),
  }
})
