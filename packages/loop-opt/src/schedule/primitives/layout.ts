/** @file layout: a param's elements in another physical order. */
import { type Index, type Layout, applyLayout, ix, logicalDim } from '@quern/core-ir'
import { scheduleError } from '../error.ts'
import { primitive } from '../schedule.ts'
import { rewriteStmts } from '../tree.ts'

/** One physical dim: a logical one, or a part of it in blocks of `by`. */
export type PhysicalDim =
  | { readonly dim: number }
  | { readonly dim: number; readonly part: 'block' | 'inside'; readonly by: number }

/**
 * `layout('b', [{ dim: 1, part: 'block', by: 8 }, { dim: 0 }, { dim: 1, part: 'inside', by: 8 }])`:
 *
 *     read b: f32[k, n]      … b[p, j] …   →   read b: f32[ceil(n / 8), k, 8]      … b[j // 8, p, j % 8] …
 *
 * Every logical dim must be there, whole or as block and inside. The last block is padded with zeros by who packs. The
 * schedule's `layouts` tell the plan.
 */
export const layout = primitive('layout', (s, buffer: string, dims: readonly PhysicalDim[]) => {
  const param = s.kernel.params.find(p => p.name === buffer)
  if (param === undefined)
    throw scheduleError(s.kernel, 'layout', 'not-a-param', `${buffer} is no param of ${s.kernel.name}`, buffer)
  if (s.layouts.has(buffer) || param.strides !== undefined || param.offset !== undefined)
    throw scheduleError(s.kernel, 'layout', 'has-one', `${buffer} already has a layout`, buffer)
  param.shape.forEach((_, d) => {
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
  const extent = (x: PhysicalDim): Index => param.shape[x.dim] ?? ix.constant(1)
  const result: Layout = {
    map: dims.map(x =>
      !('part' in x)
        ? logicalDim(x.dim)
        : x.part === 'block'
          ? ix.floorDiv(logicalDim(x.dim), x.by)
          : ix.mod(logicalDim(x.dim), x.by),
    ),
    shape: dims.map(x =>
      !('part' in x) ? extent(x) : x.part === 'block' ? ix.ceilDiv(extent(x), x.by) : ix.constant(x.by),
    ),
  }
  return {
    kernel: {
      ...s.kernel,
      params: s.kernel.params.map(p => (p === param ? { ...p, shape: result.shape } : p)),
      body: rewriteStmts(s.kernel.body, {
        access: (name, indices) =>
          name === buffer ? { buffer: name, indices: applyLayout(result, indices) } : undefined,
      }),
    },
    layouts: new Map([...s.layouts, [buffer, result]]),
  }
})
