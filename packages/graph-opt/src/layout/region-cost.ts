/** @file What a region takes with its pictures in given forms, by a target's data. Only differences between forms matter. */
import { type FormCost, type LayoutCosts, type Node, type PictureForm, type TensorType, ix } from '@quern/core-ir'
import { type PictureKernel, elementsOf, extentOf, isPicture } from './picture-kernel.ts'

/** Nanoseconds for one picture of a batch; `Infinity` where no kernel does it. */
export const regionCost = (
  region: Node,
  kernel: PictureKernel | undefined,
  /** The form of each operand and result that is a picture. */
  operands: readonly PictureForm[],
  results: readonly PictureForm[],
  costs: LayoutCosts,
): number => {
  const pictures = (types: readonly (TensorType | undefined)[], forms: readonly PictureForm[]) =>
    types.flatMap((type, i) => (type !== undefined && isPicture(type) ? [{ type, i, form: forms[i] ?? 'planar' }] : []))
  const reads = pictures(
    region.operands.map(v => v?.type),
    operands,
  )
  const writes = pictures(
    region.results.map(r => r.type),
    results,
  )
  if (kernel === undefined) return [...reads, ...writes].every(p => p.form === 'planar') ? 0 : Infinity
  const form = writes[0]?.form ?? reads.find(r => r.i === kernel.picture)?.form ?? 'planar'
  // One nest writes all results.
  if (writes.some(w => w.form !== form)) return Infinity
  const crossing = reads
    .filter(r => r.i !== kernel.picture && r.form !== form)
    .reduce((sum, r) => sum + elementsOf(r.type) * costs.mapCrossing, 0)
  if (kernel.family === 'map' || kernel.family === 'whole') return crossing
  const picture = reads.find(r => r.i === kernel.picture)
  const [result] = writes
  const cost = costs.families[kernel.family][form]
  if (picture === undefined || result === undefined || cost === undefined) return Infinity
  const from = picture.form === form ? 0 : cost.crossing
  if (from === undefined) return Infinity
  return crossing + elementsOf(picture.type) * from + windowCost(kernel, picture.type, result.type, form, cost, costs)
}

const windowCost = (
  { family, terms }: PictureKernel,
  picture: TensorType,
  result: TensorType,
  form: PictureForm,
  cost: FormCost,
  costs: LayoutCosts,
): number => {
  const spatial = result.shape.slice(2).map(extentOf)
  const line = spatial.at(-1) ?? 1
  const pixels = spatial.reduce((a, b) => a * b, 1)
  const isFixed = ix.isConst(result.shape.at(-1) ?? ix.constant(1))
  // Tiles of windows are of pixels of one line, whose number must be known, and of vectors that are full.
  const isNarrow = extentOf(result.shape[1]) < cost.together
  if (form !== 'planar' && family !== 'pointwise' && (!isFixed || isNarrow)) return Infinity
  const along = form !== 'planar' ? extentOf(result.shape[1]) : family === 'pointwise' ? pixels : line
  const full = (Math.ceil(along / cost.together) * cost.together) / along
  const odd = form !== 'planar' && family !== 'pointwise' && !divides(line, costs.tile) ? costs.oddLine : 1
  return (
    terms * cost.term * full * odd * (1 + cost.line / line) +
    elementsOf(picture) * cost.operand +
    elementsOf(result) * cost.result
  )
}

const divides = (line: number, most: number): boolean => {
  for (let by = Math.min(most, line); by > 1; by--) if (line % by === 0) return true
  return line === 1
}
