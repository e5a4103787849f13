/** @file Mean of each window. */
import {
  type Index,
  add,
  ceilDiv,
  constant,
  floorDiv,
  max,
  min,
  mul,
  product,
  sub,
  variable,
} from '../index/index-expr.ts'
import { binary, cast, indexScalar, literal, reduce } from '../scalar/scalar.ts'
import { arithmetic, filled } from './calculus.ts'
import { defineOp } from './define-op.ts'
import { poolAttrs, poolFits, poolInfer, poolWindow } from './pools.ts'
import { dim, dtypeIs, rank } from './shapes.ts'
import { isPadded, positionIn } from './windows.ts'

export const avgPool = defineOp({
  name: 'avg-pool',
  doc: 'Mean of each window over [batch, channels, ...spatial].',
  class: 'reduction',
  family: 'pool',
  operands: ['x'],
  attrs: { ...poolAttrs, countPads: { kind: 'bool', default: false, doc: 'Whether padding counts, as zeros.' } },
  canonical: ({ x }, a) => poolWindow(a, rank(x) - 2),
  constraints: [dtypeIs('x', 'float'), ...poolFits],
  infer: ({ x }, a, context) => [{ dtype: x.dtype, shape: poolInfer(x, a, context) }],
  compute: ([n, c, ...at], { x }, a) => {
    const { dtype } = x.type
    const loops = a.kernel.map((k, i) => ({ name: `$k${i}`, extent: constant(k) }))
    const indices = [n ?? 0, c ?? 0, ...at.map((p, i) => positionIn(p, variable(`$k${i}`), a, i))]
    const total = reduce('sum', loops, isPadded(a) ? x.atOr(indices, literal(0, dtype)) : x.at(...indices))
    const counts = at.map((p, i): Index => {
      const all = constant(a.kernel[i] ?? 1)
      return a.countPads || !isPadded(a)
        ? all
        : inside(positionIn(p, constant(0), a, i), all, a.dilations[i] ?? 1, dim(x.type, i + 2))
    })
    return binary('div', total, cast(indexScalar(max(1, product(counts))), dtype))
  },
  gradient: ([g], { builder: b, operands: { x } }, { countPads, ...window }) => {
    if (g === undefined) return {}
    const { mul: times, div } = arithmetic(b)
    const whole = window.kernel.reduce((p, k) => p * k, 1)
    const share = countPads
      ? div(g, whole)
      : div(g, times(b.one('avg-pool', [filled(b, 1, x.type)], { ...window, countPads: true }), whole))
    return { x: b.one('sum-unpool', [share], { ...window, extents: x.type.shape.slice(2) }) }
  },
  example: `graph example(%x: f32[1,2,4,4]) {
  %0 = avg-pool(%x, kernel=[2,2], strides=[2,2], pads=[0,0,0,0], dilations=[1,1]) : f32[1,2,2,2]
  return y = %0
}`,
})

/** How many of `all` elements, `dilation` apart from `start` on, lie inside an extent. */
const inside = (start: Index, all: Index, dilation: number, extent: Index): Index => {
  const first = max(0, ceilDiv(mul(-1, start), dilation))
  const last = min(sub(all, 1), floorDiv(sub(sub(extent, 1), start), dilation))
  return max(0, add(sub(last, first), 1))
}
