/** @file The graph passes in order, each with the reason why it stands where it stands. */
import type { Graph } from '@quern/core-ir'
import { canonicalise } from './passes/canonicalise.ts'
import { commonSubexpressions } from './passes/common-subexpressions.ts'
import { deadCode } from './passes/dead-code.ts'
import { decompose } from './passes/decompose.ts'
import { expandGrad } from './passes/expand-grad.ts'
import { foldConstants } from './passes/fold-constants.ts'
import { foldScales } from './passes/fold-scales.ts'
import { hoistInvariants } from './passes/hoist-invariants.ts'
import { mergeSiblings } from './passes/merge-siblings.ts'
import type { Pass, PassContext } from './passes/pass.ts'
import { prepareConstants } from './passes/prepare-constants.ts'
import { shapeArithmetic } from './passes/shape-arithmetic.ts'

export const graphPasses: readonly Pass[] = [
  expandGrad, // first: composites are still whole, so that their own rules apply; no later pass has to know of gradients
  canonicalise, // before all others: they then meet one spelling of each thing
  decompose, // before merging, so that equal parts of different composites are found
  hoistInvariants, // before folding, merging and preparing, which do not look into loops for what never changes in them
  shapeArithmetic, // what decompositions counted in included; before folding, which meets fewer integers then
  foldScales, // before folding, which then computes what it made of small weights; after decomposing, which spells out norms
  foldConstants, // decompositions bring constants of their own; before merging, which then sees equal constants
  commonSubexpressions, // exposes neutral elements that two spellings hid
  canonicalise, // decompositions bring reshapes and broadcasts of their own
  mergeSiblings, // after all that makes operands the same; before preparing, which joins their matrices
  prepareConstants, // after everything that may still absorb a constant or its producer into something cheaper
  deadCode, // last: regions must not count dead users
]

/** Runs the passes; `onPass` sees the graph after each. */
export const optimise = async (
  graph: Graph,
  context: PassContext,
  onPass?: (pass: Pass, graph: Graph) => void | Promise<void>,
): Promise<Graph> => {
  let current = graph
  for (const pass of graphPasses) {
    current = await pass.run(current, context)
    await onPass?.(pass, current)
  }
  return current
}
