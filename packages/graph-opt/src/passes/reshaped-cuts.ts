/**
 * @file Cuts behind reshapes: a reshape of what is stored is a view, and a cut of that view can be read by whoever wants it,
 * while a cut that has to be reshaped must be stored first.
 */
import { type Graph, type GraphBuilder, type Index, type Value, ix, transformGraph, usersOf } from '@quern/core-ir'

/** A cut along one axis, at steps of one. */
export interface Cut {
  readonly axis: number
  readonly start: Index
  readonly size: Index
}

/** The one axis that a slice shortens; undefined where there is none, or more than one. */
export const cutOf = (value: Value): Cut | undefined => {
  const { node } = value
  const [x] = node?.operands ?? []
  if (node?.op !== 'slice' || x === undefined) return undefined
  const { starts, sizes, steps } = node.attrs as { starts: Index[]; sizes: Index[]; steps: number[] }
  if (steps.some(s => s !== 1)) return undefined
  const cut = x.type.shape.flatMap((d, axis) => {
    const [start, size] = [starts[axis], sizes[axis]]
    if (start === undefined || size === undefined) return []
    return ix.isConst(start, 0) && d.key === size.key ? [] : [{ axis, start, size }]
  })
  return cut.length === 1 ? cut[0] : undefined
}

export interface ReshapedCut {
  /** What becomes of the whole. */
  readonly shape: readonly Index[]
  readonly cut: Cut
}

/**
 * The same elements as `reshape(cut(x), shape)`, cut from a reshaped x: possible where the cut is one of whole units of an axis of
 * the new shape.
 *
 * @param whole shape of x
 */
export const reshapedCut = (
  whole: readonly Index[],
  { axis, start, size }: Cut,
  shape: readonly Index[],
): ReshapedCut | undefined => {
  const outside = ix.product(whole.slice(0, axis))
  const inside = ix.product(whole.slice(axis + 1))
  const [from, all] = [ix.mul(start, inside), ix.mul(whole[axis] ?? 1, inside)]
  const total = ix.mul(size, inside)
  for (let at = 0; at < shape.length; at++) {
    if (!ix.sameIndex(ix.product(shape.slice(0, at)), outside)) continue
    const unit = ix.product(shape.slice(at + 1))
    const extent = shape[at]
    if (extent === undefined || !ix.sameIndex(ix.product(shape.slice(at)), total)) continue
    if (![unit, from, all].every(x => ix.isConst(x)) || ix.isConst(unit, 0)) continue
    if (!ix.isConst(ix.mod(from, unit), 0) || !ix.isConst(ix.mod(all, unit), 0)) continue
    return {
      shape: shape.map((d, i) => (i === at ? ix.floorDiv(all, unit) : d)),
      cut: { axis: at, start: ix.floorDiv(from, unit), size: extent },
    }
  }
  return undefined
}

export const addCut = (builder: GraphBuilder, x: Value, { axis, start, size }: Cut, name?: string): Value =>
  builder.one(
    'slice',
    [x],
    {
      starts: x.type.shape.map((_, i) => (i === axis ? start : ix.constant(0))),
      sizes: x.type.shape.map((d, i) => (i === axis ? size : d)),
    },
    name,
  )

/** Puts cuts behind reshapes, where what is cut has several users and so is stored whole anyway. */
export const cutLater = (graph: Graph): Graph => {
  const users = usersOf(graph)
  const reshaped = new Map<string, Value>()
  const ids = new Map<Value, number>()
  return transformGraph(graph, (node, [now], builder) => {
    const [operand] = node.operands
    const [result] = node.results
    const cut = node.op === 'reshape' && operand !== undefined ? cutOf(operand) : undefined
    const whole = operand?.node?.operands[0]
    const source = now?.node?.operands[0]
    if (cut === undefined || whole === undefined || source === undefined || result === undefined) return undefined
    if ((users.get(whole) ?? []).length < 2 || now?.node?.op !== 'slice') return undefined
    const later = reshapedCut(whole.type.shape, cut, result.type.shape)
    if (later === undefined) return undefined
    const id = ids.get(source) ?? ids.size
    ids.set(source, id)
    const key = `${id} ${later.shape.map(d => d.key).join(',')}`
    const view = reshaped.get(key) ?? builder.one('reshape', [source], { shape: later.shape })
    reshaped.set(key, view)
    return [addCut(builder, view, later.cut, result.name)]
  })
}
