/** @file The layers that have constraints of their own, for the reference and for tests. */
import { batchNormLayer } from './batch-norm.ts'
import { conv2dLayer } from './conv2d.ts'
import type { Layer } from './define-layer.ts'
import { linearLayer } from './linear.ts'
import { layerNormLayer, rmsNormLayer } from './norms.ts'
import { avgPoolLayer, maxPoolLayer } from './pools.ts'

type Listed = Pick<Layer, 'name' | 'doc' | 'operands'> & {
  readonly constraints: readonly { readonly id: string; readonly says: string }[]
}

export const layers: readonly Listed[] = [
  linearLayer,
  conv2dLayer,
  maxPoolLayer,
  avgPoolLayer,
  batchNormLayer,
  layerNormLayer,
  rmsNormLayer,
]
