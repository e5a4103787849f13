/** @file Batch-norm folding: constants for each channel move into the weights before them. */
import { applyRules } from '@quern/core-ir'
import { foldScaleRules } from '../rules/fold-scales.ts'
import type { Pass } from './pass.ts'

export const foldScales: Pass = {
  name: 'fold-scales',
  doc: 'Products and sums with a constant for each channel move into the weights and the bias of the convolution or product before them.',
  run: (graph, context) => {
    const { graph: result, fired } = applyRules(graph, foldScaleRules, { numerics: context.numerics })
    context.note(fired)
    return result
  },
}
