/** @file The gradient of a convolution's weight, which is a convolution again. */
import type { GraphBuilder } from '../graph/builder.ts'
import type { Value } from '../graph/graph.ts'
import { type Index, constant, mul } from '../index/index-expr.ts'
import { reshapeTo, sameShape } from './calculus.ts'
import { dim } from './shapes.ts'
import type { Window } from './windows.ts'

/**
 * dW[o, c, k] = Σ over n, p of x[n, group(o)·per + c, p·stride + k·dilation - pad] · g[n, o, p]: a convolution in which the
 * batch is what is contracted, and strides and dilations change places. For x of [n, groups·per, …], image c of
 * [per, groups·n, …] holds channel c of every group.
 */
export const weightGradient = (
  b: GraphBuilder,
  x: Value,
  g: Value,
  weight: readonly Index[],
  a: Window & { readonly groups: number },
): Value => {
  const [out, per, ...kernel] = weight
  if (out === undefined || per === undefined) throw new RangeError('a weight of rank < 3')
  const batch = dim(x.type, 0)
  const spatial = x.type.shape.slice(2)
  const swapped = [1, 0, ...kernel.map((_, i) => i + 2)]
  const byGroup = reshapeTo(b, x, [batch, constant(a.groups), per, ...spatial])
  const byChannel = b.one('transpose', [byGroup], { perm: [2, 1, 0, ...spatial.map((_, i) => i + 3)] })
  const images = reshapeTo(b, byChannel, [per, mul(a.groups, batch), ...spatial])
  const filters = b.one('transpose', [g], { perm: swapped })
  const attrs = { pads: a.pads, groups: a.groups, strides: a.dilations, dilations: a.strides }
  const found = b.one('conv', [images, filters], { ...attrs })
  // Where the stride does not divide, positions that no element of the weight takes come out behind.
  const shape = [per, out, ...kernel]
  const wanted = sameShape(found.type.shape, shape)
    ? found
    : b.one('slice', [found], { starts: shape.map(() => 0), sizes: shape })
  return b.one('transpose', [wanted], { perm: swapped })
}
