/** @file Norms over the last dim. */
import type { AnyShape } from '../shape-types.ts'
import { type Tensor, apply } from '../tensor.ts'
import { checkLayer, checkWeights, defineLayer, fitsLast, isFloat, rankAtLeast, sameDTypes } from './define-layer.ts'
import type { Float } from './float.ts'

export const layerNormLayer = defineLayer()({
  name: 'layerNorm',
  doc: '(x − mean) / √(var + ε) · weight + bias over the last dim.',
  operands: ['x', 'weight?', 'bias?'],
  constraints: [
    isFloat('x'),
    rankAtLeast('x', 1, ''),
    sameDTypes('x', 'weight', 'bias'),
    fitsLast('weight'),
    fitsLast('bias'),
  ],
})

/** (x − mean) / √(var + ε) · weight + bias over the last dim. */
export const layerNorm = <D extends Float, S extends AnyShape>(
  x: Tensor<D, S>,
  weights: { readonly weight?: Tensor<D>; readonly bias?: Tensor<D> } = {},
  epsilon = 1e-5,
): Tensor<D, S> => {
  checkWeights(layerNormLayer, weights)
  const { weight, bias } = weights
  checkLayer(layerNormLayer, [x, weight, bias], {})
  return apply('layer-norm', [x, weight, bias], { epsilon })
}

export const rmsNormLayer = defineLayer()({
  name: 'rmsNorm',
  doc: 'x / √(mean(x²) + ε) · weight over the last dim.',
  operands: ['x', 'weight?'],
  constraints: [isFloat('x'), rankAtLeast('x', 1, ''), sameDTypes('x', 'weight'), fitsLast('weight')],
})

/**
 * x / √(mean(x²) + ε) · weight over the last dim.
 * @throws rmsNorm/weight-fits unless the weight is as long as the last dim of x
 */
export const rmsNorm = <D extends Float, S extends AnyShape>(
  x: Tensor<D, S>,
  weights: { readonly weight?: Tensor<D> } = {},
  epsilon = 1e-5,
): Tensor<D, S> => {
  checkWeights(rmsNormLayer, weights)
  const { weight } = weights
  checkLayer(rmsNormLayer, [x, weight], {})
  return apply('rms-norm', [x, weight], { epsilon })
}
