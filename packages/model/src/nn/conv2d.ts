/** @file Two-dimensional convolution. */
import type { Dim } from '@quern/artifact'
import { type Constraint, ix, printIndex } from '@quern/core-ir'
import { checkOptions, refuse } from '../arguments.ts'
import { inWords } from '@quern/core-ir'
import { broadcastTo } from '../ops/unify.ts'
import type { Conv2dMistake, Fits } from '../shape-mistakes.ts'
import type { AnyShape } from '../shape-types.ts'
import { type Tensor, apply } from '../tensor.ts'
import { type Types, biasFits, checkLayer, checkWeights, defineLayer, rankIs, sameDTypes } from './define-layer.ts'
import type { Float } from './float.ts'
import { type Pair, type WindowOptions, pairOf, windowFits } from './windows.ts'

export interface ConvWeights<D extends Float, O extends number = number, I extends number = number> {
  /** [out, in / groups, kernel height, kernel width]. */
  readonly weight: Tensor<D, readonly [O, I, number, number]>
  /** [out]. */
  readonly bias?: Tensor<D>
}
export interface ConvOptions {
  readonly stride?: Pair
  /** Rows and columns of zeros on each side. */
  readonly padding?: Pair
  readonly dilation?: Pair
  readonly groups?: number
}
type BatchOf<S extends AnyShape> = S extends readonly [infer N extends number | Dim, ...AnyShape] ? N : number

const groupsDivide: Constraint<Types, { readonly groups: number }> = {
  id: 'groups-divide-out',
  says: 'groups to divide the first dim of weight, the channels that come out',
  holds: ({ weight }, { groups }, context) =>
    weight === undefined || context.equal(ix.mod(weight.shape[0] ?? 0, groups), 0),
  found: ({ weight }, { groups }) => `${printIndex(weight?.shape[0] ?? ix.constant(0))} is no multiple of ${groups}`,
}

const channelsAgree: Constraint<Types, { readonly groups: number }> = {
  id: 'channels-agree',
  says: 'the channels of x (its second dim) to be groups times the second dim of weight [out, in / groups, height, width]',
  holds: ({ x, weight }, { groups }, context) => context.equal(x?.shape[1] ?? 0, ix.mul(groups, weight?.shape[1] ?? 0)),
  found: ({ x, weight }, { groups }) =>
    `${printIndex(x?.shape[1] ?? ix.constant(0))} is not ${groups === 1 ? '' : `${groups} · `}${printIndex(weight?.shape[1] ?? ix.constant(0))}`,
}

export const conv2dLayer = defineLayer<WindowOptions & { readonly groups: number }>()({
  name: 'conv2d',
  doc: '2-D cross-correlation: [n, in, h, w] → [n, out, h′, w′].',
  operands: ['x', 'weight', 'bias?'],
  constraints: [
    rankIs('x', 4, '[n, in, height, width]'),
    rankIs('weight', 4, '[out, in / groups, kernel height, kernel width]'),
    sameDTypes('x', 'weight', 'bias'),
    groupsDivide,
    channelsAgree,
    biasFits('weight'),
    windowFits,
  ],
})

/** 2-D cross-correlation: [n, in, h, w] → [n, out, h', w']. */
export const conv2d = <
  D extends Float,
  S extends AnyShape,
  O extends number,
  I extends number,
  const P extends ConvOptions = {},
>(
  x: Tensor<D, S> & Fits<Conv2dMistake<S, I, P>>,
  weights: ConvWeights<D, O, I>,
  options?: P,
): Tensor<D, readonly [BatchOf<S>, O, number, number]> => {
  checkWeights(conv2dLayer, weights)
  const given: ConvOptions = options ?? {}
  checkOptions('conv2d', given, ['stride', 'padding', 'dilation', 'groups'])
  const { weight, bias } = weights
  const { groups = 1 } = given
  if (!Number.isSafeInteger(groups) || groups < 1)
    refuse('model/option-value', `conv2d takes groups as a whole number from 1 up, and was given ${inWords(groups)}`, {
      op: 'conv2d',
      option: 'groups',
    })
  const stride = pairOf('conv2d', 'stride', given.stride, 1, 1),
    padding = pairOf('conv2d', 'padding', given.padding, 0, 0),
    dilation = pairOf('conv2d', 'dilation', given.dilation, 1, 1)
  const [, , height = 1, width = 1] = weight?.type?.shape ?? []
  checkLayer(conv2dLayer, [x, weight, bias], { kernel: [height, width], stride, padding, dilation, groups })
  const y = apply<D, readonly [BatchOf<S>, O, number, number]>('conv', [x, weight], {
    strides: stride,
    pads: [...padding, ...padding],
    dilations: dilation,
    groups,
  })
  if (bias === undefined) return y
  const column = apply('reshape', [bias], { shape: [ix.product(bias.type.shape), ix.constant(1), ix.constant(1)] })
  return apply('add', [y, broadcastTo(column, y.type.shape)])
}
