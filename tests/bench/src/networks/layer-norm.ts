/** @file Weights of the layer norm that is measured alone. */
import type { Parameter } from './weights.ts'

export const layerNormParameters: readonly Parameter[] = [
  { name: 'layer-norm.weight', shape: [768], scale: 0.5, mean: 1 },
  { name: 'layer-norm.bias', shape: [768], scale: 0.5 },
]
