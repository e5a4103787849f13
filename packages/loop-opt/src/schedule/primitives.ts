/** @file Every schedule primitive by name: what a trace may say. */
import { bind } from './primitives/bind.ts'
import { blockSum } from './primitives/block-sum.ts'
import { computeAt } from './primitives/compute-at.ts'
import { fission } from './primitives/fission.ts'
import { fuse } from './primitives/fuse.ts'
import { hoistIf } from './primitives/hoist-if.ts'
import { hoist } from './primitives/hoist.ts'
import { inline } from './primitives/inline.ts'
import { layout } from './primitives/layout.ts'
import { parallel } from './primitives/parallel.ts'
import { partition } from './primitives/partition.ts'
import { reorder } from './primitives/reorder.ts'
import { rfactor } from './primitives/rfactor.ts'
import { setSpace } from './primitives/set-space.ts'
import { split } from './primitives/split.ts'
import { stage } from './primitives/stage.ts'
import { tabulate } from './primitives/tabulate.ts'
import { tensorize } from './primitives/tensorize.ts'
import { unroll } from './primitives/unroll.ts'
import { vectorize } from './primitives/vectorize.ts'

export const primitives = {
  bind,
  blockSum,
  computeAt,
  fission,
  fuse,
  hoist,
  hoistIf,
  inline,
  layout,
  parallel,
  partition,
  reorder,
  rfactor,
  setSpace,
  split,
  stage,
  tabulate,
  tensorize,
  unroll,
  vectorize,
}
