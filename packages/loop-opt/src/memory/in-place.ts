/** @file Which params of a kernel may share memory: each element is read before the same element is written. */
import { bytesOf } from '@quern/artifact'
import { type Index, type Kernel, type Param, type Scalar, type Stmt, ix, visitScalars } from '@quern/core-ir'
import { touched } from '../lower/touched.ts'

/**
 * Pairs (read param, written param) of an unscheduled kernel. Only perfect nests whose subscripts are their axes qualify,
 * so that no reordering of iterations, and no splitting of them into vectors, changes what is read.
 */
export const inPlacePairs = (kernel: Kernel): readonly (readonly [read: number, written: number])[] => {
  const pairs: [number, number][] = []
  kernel.params.forEach((from, r) =>
    kernel.params.forEach((to, w) => {
      if (from.access === 'read' && to.access === 'write' && sameExtents(from, to) && nestAllows(kernel, from, to))
        pairs.push([r, w])
    }),
  )
  return pairs
}

const sameExtents = (a: Param, b: Param): boolean =>
  bytesOf[a.dtype] === bytesOf[b.dtype] &&
  a.shape.length === b.shape.length &&
  a.shape.every((d, i) => d.key === b.shape[i]?.key) &&
  a.strides === undefined &&
  b.strides === undefined &&
  a.offset === undefined &&
  b.offset === undefined

const nestAllows = (kernel: Kernel, from: Param, to: Param): boolean => {
  const uses = (s: Stmt): boolean => {
    const { read, written } = touched([s])
    return read.has(from.name) || written.has(to.name) || read.has(to.name)
  }
  const [nest, ...more] = kernel.body.filter(uses)
  if (nest === undefined || more.length > 0) return false
  const axes = new Set<string>()
  let body: readonly Stmt[] = [nest]
  for (let only = body[0]; body.length === 1 && only?.kind === 'for'; only = body[0]) {
    axes.add(only.axis)
    body = only.body
  }
  if (!body.every(s => s.kind === 'let' || s.kind === 'store')) return false
  const stores = body.flatMap((s, i) => (s.kind === 'store' && s.buffer === to.name ? [{ s, i }] : []))
  const [store] = stores
  if (store === undefined || stores.length > 1 || !coversAxes(store.s.indices, axes, to)) return false
  const at = keyOf(store.s.indices, to)
  return body.every(
    (s, i) =>
      loadsOf(s, from.name).every(load => i <= store.i && keyOf(load, from) === at) && loadsOf(s, to.name).length === 0,
  )
}

/** Along an extent of one there is one subscript, however it is written. */
const keyOf = (indices: readonly Index[], of: Param): string =>
  indices.map((index, d) => (ix.isConst(of.shape[d] ?? index, 1) ? '0' : index.key)).join(', ')

/** Whether each element is written in one iteration only: the subscripts are the axes, each once. */
const coversAxes = (indices: readonly Index[], axes: ReadonlySet<string>, to: Param): boolean => {
  const used = new Set<string>()
  const plain = indices.every((index, d) => {
    if (ix.isConst(index, 0) && ix.isConst(to.shape[d] ?? ix.constant(0), 1)) return true
    if (index.kind !== 'var' || used.has(index.name)) return false
    used.add(index.name)
    return true
  })
  return plain && used.size === axes.size
}

const loadsOf = (s: Stmt, buffer: string): (readonly Index[])[] => {
  const found: (readonly Index[])[] = []
  const scan = (x: Scalar): void =>
    visitScalars(x, y => {
      if (y.kind === 'load' && y.buffer === buffer) found.push(y.indices)
    })
  if (s.kind === 'let' || s.kind === 'store') scan(s.value)
  if (s.kind === 'store')
    for (const i of s.indices)
      ix.visitAtoms(i, a => {
        if (a.kind === 'value') scan(a.scalar)
      })
  return found
}
