/** @file Pools: one number out of each window. */
import { checkOptions } from '../arguments.ts'
import type { AnyShape, SameRank } from '../shape-types.ts'
import { type Tensor, apply } from '../tensor.ts'
import { checkLayer, defineLayer, isFloat, rankIs } from './define-layer.ts'
import type { Float } from './float.ts'
import { type Pair, type WindowOptions, pairOf, windowFits } from './windows.ts'

export interface PoolOptions {
  /** Default: the kernel's size. */
  readonly stride?: Pair
  readonly padding?: Pair
}

const poolLayer = (name: string, doc: string) =>
  defineLayer<WindowOptions>()({
    name,
    doc,
    operands: ['x'],
    constraints: [isFloat('x'), rankIs('x', 4, '[n, channels, height, width]'), windowFits],
  })
export const maxPoolLayer = poolLayer('maxPool', 'Largest of each window, over the last two dims of [n, c, h, w].')
export const avgPoolLayer = poolLayer(
  'avgPool',
  'Mean of each window, over the last two dims of [n, c, h, w]; padding counts as zeros.',
)

const pool =
  (op: string, layer: ReturnType<typeof poolLayer>) =>
  <D extends Float, S extends AnyShape>(
    x: Tensor<D, S>,
    kernel: Pair,
    options: PoolOptions = {},
  ): Tensor<D, SameRank<S>> => {
    checkOptions(layer.name, options, ['stride', 'padding'])
    const size = pairOf(layer.name, 'the kernel', kernel, 1, 1),
      stride = options.stride === undefined ? size : pairOf(layer.name, 'stride', options.stride, 1, 1),
      padding = pairOf(layer.name, 'padding', options.padding, 0, 0)
    checkLayer(layer, [x], { kernel: size, stride, padding, dilation: [1, 1] })
    return apply(op, [x], { kernel: size, strides: stride, pads: [...padding, ...padding] })
  }
/** Largest of each window, over the last two dims of [n, c, h, w]. */
export const maxPool = pool('max-pool', maxPoolLayer)
/** Mean of each window, over the last two dims of [n, c, h, w]; padding counts as zeros. */
export const avgPool = pool('avg-pool', avgPoolLayer)
