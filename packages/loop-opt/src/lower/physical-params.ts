/**
 * @file Layouts composed into a kernel's accesses: index notation and loops are written over logical dims, and buffers that lie
 * otherwise are subscripted by their physical ones from here on.
 */
import { type Kernel, type PhysicalDim, applyLayout, isPlain, layoutOfDims } from '@quern/core-ir'
import { simplifyKernel } from '../legalise/simplify.ts'
import { editStmts, rewriteStmts } from '../schedule/tree.ts'

/** @param dims of params and local buffers, by name; others are row-major */
export const withPhysicalParams = (kernel: Kernel, dims: ReadonlyMap<string, readonly PhysicalDim[]>): Kernel => {
  const moved = new Map([...dims].filter(([, d]) => !isPlain(d)))
  if (moved.size === 0) return kernel
  const placed = <
    B extends Kernel['params'][number] | { readonly name: string; readonly shape: Kernel['params'][number]['shape'] },
  >(
    b: B,
  ): B => {
    const own = moved.get(b.name)
    return own === undefined ? b : { ...b, shape: layoutOfDims(own, b.shape).shape }
  }
  const body = rewriteStmts(kernel.body, {
    access: (buffer, indices) => {
      const own = moved.get(buffer)
      // The extents do not matter to the map.
      return own === undefined ? undefined : { buffer, indices: applyLayout(layoutOfDims(own, indices), indices) }
    },
  })
  const laidOut: Kernel = {
    ...kernel,
    params: kernel.params.map(placed),
    body: editStmts(body, s => (s.kind === 'alloc' ? [{ ...s, buffer: placed(s.buffer) }] : undefined)),
  }
  // Where blocks are read by loops over blocks, what divides and what remains are their axes.
  return [...moved.values()].some(d => d.some(x => 'part' in x)) ? simplifyKernel(laidOut) : laidOut
}
