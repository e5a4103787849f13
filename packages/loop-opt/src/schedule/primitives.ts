/** @file Every schedule primitive by name: what a trace may say. */
import { computeAt } from './primitives/compute-at.ts'
import { fission } from './primitives/fission.ts'
import { fuse } from './primitives/fuse.ts'
import { hoist } from './primitives/hoist.ts'
import { layout } from './primitives/layout.ts'
import { parallel } from './primitives/parallel.ts'
import { reorder } from './primitives/reorder.ts'
import { setSpace } from './primitives/set-space.ts'
import { split } from './primitives/split.ts'
import { stage } from './primitives/stage.ts'
import { unroll } from './primitives/unroll.ts'
import { vectorize } from './primitives/vectorize.ts'

export const primitives = {
  computeAt,
  fission,
  fuse,
  hoist,
  layout,
  parallel,
  reorder,
  setSpace,
  split,
  stage,
  unroll,
  vectorize,
}
