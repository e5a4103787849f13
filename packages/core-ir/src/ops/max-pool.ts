/** @file Largest element of each window, where it stands, and the way back. */
import { type Index, constant, product, variable } from '../index/index-expr.ts'
import { type Scalar, binary, indexScalar, literal, reduce } from '../scalar/scalar.ts'
import { neutralOf } from '../scalar/reduce.ts'
import { type Operand, defineOp } from './define-op.ts'
import { poolAttrs, poolFits, poolInfer, poolWindow } from './pools.ts'
import { unflatten } from './reshape-indices.ts'
import { dtypeIs, rank } from './shapes.ts'
import { type Window, isPadded, positionIn, whereAll, windowAt } from './windows.ts'

const extents = (kernel: readonly number[]): Index[] => kernel.map(k => constant(k))

const windowElement = (x: Operand, out: readonly Index[], ks: readonly Index[], w: Window): Scalar => {
  const [n, c, ...at] = out
  const indices = [n ?? 0, c ?? 0, ...at.map((p, i) => positionIn(p, ks[i] ?? constant(0), w, i))]
  return isPadded(w) ? x.atOr(indices, literal(neutralOf('max', x.type.dtype), x.type.dtype)) : x.at(...indices)
}

export const maxPool = defineOp({
  name: 'max-pool',
  doc: 'Largest element of each window over [batch, channels, ...spatial]; padding never wins. NaN if there is one.',
  class: 'reduction',
  operands: ['x'],
  attrs: poolAttrs,
  canonical: ({ x }, a) => poolWindow(a, rank(x) - 2),
  constraints: [dtypeIs('x', 'number'), ...poolFits],
  infer: ({ x }, a, context) => [{ dtype: x.dtype, shape: poolInfer(x, a, context) }],
  compute: (out, { x }, a) => {
    const loops = a.kernel.map((k, i) => ({ name: `$k${i}`, extent: constant(k) }))
    return reduce('max', loops, windowElement(x, out, loops.map(l => variable(l.name)), a))
  },
  gradient: ([g], { builder: b, operands: { x } }, a) => {
    if (g === undefined) return {}
    const winners = b.one('max-pool-index', [x], a)
    return { x: b.one('max-unpool', [g, winners], { ...a, extents: x.type.shape.slice(2) }) }
  },
  example: `graph example(%x: f32[1,2,4,4]) {
  %0 = max-pool(%x, kernel=[2,2], strides=[2,2], pads=[0,0,0,0], dilations=[1,1]) : f32[1,2,2,2]
  return y = %0
}`,
})

export const maxPoolIndex = defineOp({
  name: 'max-pool-index',
  doc: 'Which element of its window max-pool takes, row-major in the window; the first wins. Not differentiable: the result is a position.',
  class: 'reduction',
  operands: ['x'],
  attrs: poolAttrs,
  canonical: ({ x }, a) => poolWindow(a, rank(x) - 2),
  constraints: [dtypeIs('x', 'number'), ...poolFits],
  infer: ({ x }, a, context) => [{ dtype: 'i32', shape: poolInfer(x, a, context) }],
  compute: (out, { x }, a) => {
    const loop = { name: '$k0', extent: product(a.kernel) }
    const ks = unflatten(variable(loop.name), extents(a.kernel))
    return reduce('argmax', [loop], windowElement(x, out, ks, a), 'i32')
  },
  gradient: 'none',
  example: `graph example(%x: f32[1,2,4,4]) {
  %0 = max-pool-index(%x, kernel=[2,2], strides=[2,2], pads=[0,0,0,0], dilations=[1,1]) : i32[1,2,2,2]
  return y = %0
}`,
})

export const maxUnpool = defineOp({
  name: 'max-unpool',
  doc: 'Sums each element of x into the place that won its window: the adjoint of max-pool.',
  class: 'reduction',
  operands: ['x', 'winners'],
  attrs: { ...poolAttrs, extents: { kind: 'dims', doc: 'Spatial extents of the result.' } },
  canonical: ({ x }, a) => poolWindow(a, rank(x) - 2),
  constraints: [
    dtypeIs('x', 'number'),
    ...poolFits,
    { id: 'extents-rank', says: 'count(extents) = rank(x) - 2', holds: ({ x }, { extents: e }) => e.length === rank(x) - 2 },
    { id: 'winners-match', says: 'winners is i32 of shape(x)',
      holds: ({ x, winners }, _, context) => winners.dtype === 'i32' && rank(x) === rank(winners) &&
        x.shape.every((d, i) => context.equal(d, winners.shape[i] ?? -1)) },
  ],
  infer: ({ x }, a) => [{ dtype: x.dtype, shape: [...x.shape.slice(0, 2), ...a.extents] }],
  compute: ([n, c, ...at], { x, winners }, a) => {
    const loop = { name: '$k0', extent: product(a.kernel) }
    const ks = unflatten(variable(loop.name), extents(a.kernel))
    const places = at.map((p, i) => windowAt(p, ks[i] ?? constant(0), a, i))
    const where = [n ?? 0, c ?? 0, ...places.map(p => p.window)]
    const won = binary('eq', winners.atOr(where, literal(-1, 'i32')), indexScalar(variable(loop.name)))
    const element = x.atOr(where, literal(0, x.type.dtype))
    return reduce('sum', [loop], whereAll([...places.map(p => p.exact), won], element))
  },
  gradient: ([g], { builder: b, operands: { x, winners } }, a) => {
    if (g === undefined) return {}
    return { x: b.one('take-pooled', [g, winners], poolWindow({ kernel: a.kernel, strides: a.strides, pads: a.pads, dilations: a.dilations }, rank(x.type) - 2)) }
  },
  example: `graph example(%x: f32[1,2,2,2], %w: i32[1,2,2,2]) {
  %0 = max-unpool(%x, %w, kernel=[2,2], strides=[2,2], pads=[0,0,0,0], dilations=[1,1], extents=[4,4]) : f32[1,2,4,4]
  return y = %0
}`,
})

export const takePooled = defineOp({
  name: 'take-pooled',
  doc: 'The element of x at the winning place of each window: the adjoint of max-unpool. Zero where that is padding.',
  class: 'reduction',
  operands: ['x', 'winners'],
  attrs: poolAttrs,
  canonical: ({ x }, a) => poolWindow(a, rank(x) - 2),
  constraints: [
    dtypeIs('x', 'number'),
    ...poolFits,
    { id: 'winners-match', says: 'winners is i32 with a number for each window of x',
      holds: ({ x, winners }, a, context) => {
        const shape = poolInfer(x, a, context)
        return winners.dtype === 'i32' && rank(winners) === shape.length && shape.every((d, i) => context.equal(d, winners.shape[i] ?? -1))
      } },
  ],
  infer: ({ x, winners }) => [{ dtype: x.dtype, shape: winners.shape }],
  compute: (out, { x, winners }, a) => {
    const loop = { name: '$k0', extent: product(a.kernel) }
    const ks = unflatten(variable(loop.name), extents(a.kernel))
    const [n, c, ...at] = out
    const element = x.atOr([n ?? 0, c ?? 0, ...at.map((p, i) => positionIn(p, ks[i] ?? constant(0), a, i))], literal(0, x.type.dtype))
    return reduce('sum', [loop], whereAll([binary('eq', winners.at(...out), indexScalar(variable(loop.name)))], element))
  },
  gradient: ([g], { builder: b, operands: { x, winners } }, a) =>
    g === undefined ? {} : { x: b.one('max-unpool', [g, winners], { ...a, extents: x.type.shape.slice(2) }) },
  example: `graph example(%x: f32[1,2,4,4], %w: i32[1,2,2,2]) {
  %0 = take-pooled(%x, %w, kernel=[2,2], strides=[2,2], pads=[0,0,0,0], dilations=[1,1]) : f32[1,2,2,2]
  return y = %0
}`,
})
