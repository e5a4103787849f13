/** @file What kernels over pictures take on wasm in each layout. */
import type { LayoutCosts } from '@quern/core-ir'

/**
 * Measured on one thread, on the layers of networks at 112² to 7² pixels, and fitted: what counts is which of two is less.
 * Vectors along lines are not full at 7 and 14 pixels, and a depthwise window starts anew in every line; vectors along channels
 * are full nearly everywhere, and need neither copies of lines nor packed panels.
 */
export const wasmPictureCosts: LayoutCosts = {
  families: {
    pointwise: {
      planar: { term: 0.061, line: 0, operand: 0.2, result: 0.35, together: 8, crossing: 3 },
      'channels-last': { term: 0.058, line: 0, operand: 0, result: 0.4, together: 8, crossing: 3 },
    },
    dense: {
      planar: { term: 0.065, line: 3.5, operand: 0, result: 0, together: 4, crossing: 3 },
      'channels-last': { term: 0.057, line: 2, operand: 0, result: 0.4, together: 4, crossing: 1 },
    },
    depthwise: {
      planar: { term: 0.2, line: 6, operand: 0, result: 0, together: 4 },
      'channels-last': { term: 0.118, line: 0, operand: 0.105, result: 0, together: 4 },
    },
    pool: {
      planar: { term: 0.45, line: 2, operand: 0, result: 0, together: 4 },
      'channels-last': { term: 0.4, line: 0, operand: 0, result: 0, together: 4 },
    },
  },
  mapCrossing: 2,
  tile: 8,
  oddLine: 1.5,
}
