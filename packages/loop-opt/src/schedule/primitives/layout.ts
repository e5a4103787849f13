/** @file layout: the elements of a param, or of a local buffer, in another physical order. */
import { type Index, type PhysicalDim, applyLayout, ix, layoutOfDims, physicalDimsError } from '@quern/core-ir'
import { scheduleError } from '../error.ts'
import { declOf } from '../locate.ts'
import { primitive } from '../schedule.ts'
import { editStmts, rewriteStmts } from '../tree.ts'

export type { PhysicalDim } from '@quern/core-ir'

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
  const mistake = physicalDimsError(dims, decl.shape.length)
  if (mistake !== undefined)
    throw scheduleError(s.kernel, 'layout', 'not-a-bijection', `of ${buffer}, ${mistake}`, buffer)
  const extent = (x: PhysicalDim): Index => decl.shape[x.dim] ?? ix.constant(1)
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
  const result = layoutOfDims(dims, decl.shape)
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
