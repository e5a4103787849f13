/** @file The order of long float sums: blocks, whose sums are summed in blocks again. */
import { isFloat, rangeOf } from '@quern/core-ir'
import { declOf } from '../schedule/locate.ts'
import { blockSum, sumOf } from '../schedule/primitives/block-sum.ts'
import type { Schedule } from '../schedule/schedule.ts'
import { type For, visitStmts } from '../schedule/tree.ts'
import { tryEdit } from './rule.ts'

/** Sums of up to this many terms stay as they are. */
const longest = 1024
/** Terms of one block. Three levels hold 2^24 terms, and each adds an error of at most 256 roundings. */
const block = 256

/**
 * Makes blocks of every float sum that adds more than 1,024 terms to one element in a row, whatever the numerics: the order
 * depends on the loops alone, so that it is the same on every machine and for any number of threads.
 */
export const shortenSums = (s: Schedule): Schedule => {
  if (s.trace.some(a => a.primitive === blockSum.primitive)) return s
  return longSums(s).reduce((t, chain) => tryEdit(t, u => shorten(u, chain)), s)
}

interface Term {
  readonly axis: string
  /** The most iterations; infinite where nothing bounds them. */
  readonly most: number
}

/** For every long sum the serial loops that add to one element, innermost first. */
const longSums = (s: Schedule): readonly (readonly Term[])[] => {
  const loops: For[] = []
  visitStmts(s.kernel.body, x => {
    if (x.kind === 'for' && x.tag === 'serial') loops.push(x)
  })
  const ranges = new Map(s.kernel.symbols.map(x => [x.name, { min: x.min, max: x.max ?? Infinity }]))
  const chains: Term[][] = []
  const seen = new Set<string>()
  for (const loop of loops) {
    const found = seen.has(loop.axis) ? undefined : sumOf(loop)
    const decl = found && declOf(s.kernel, found.sum.buffer)
    if (found === undefined || decl === undefined || !isFloat(decl.dtype)) continue
    // The outermost loop that adds to the same element comes first, and stands for those inside.
    const chosen = new Set(found.choosing.map(l => l.axis))
    const chain = found.sum.loops.filter(l => l.tag === 'serial' && !chosen.has(l.axis))
    chain.forEach(l => seen.add(l.axis))
    const terms = chain.map(l => ({ axis: l.axis, most: rangeOf(l.extent, ranges).max })).reverse()
    if (terms.reduce((n, t) => n * t.most, 1) > longest) chains.push(terms)
  }
  return chains
}

const shorten = (s: Schedule, chain: readonly Term[]): Schedule => {
  let t = s
  /** Terms that one iteration of the loop adds in a row. */
  let terms = 1
  for (const { axis, most } of chain) {
    if (terms * most <= block) {
      terms *= most
      continue
    }
    const length = Math.max(1, Math.floor(block / terms))
    t = blockSum(t, axis, length)
    let [left, outer] = [Math.ceil(most / length), `${axis}_o`]
    for (let level = 0; left > block && level < 1; level++) {
      t = blockSum(t, outer, block)
      ;[left, outer] = [Math.ceil(left / block), `${outer}_o`]
    }
    terms = left
  }
  return t
}
