/** @file Windows that slide over the last two dims: options that layers share, and what must hold of them. */
import { type Constraint, type Index, ix, printIndex } from '@quern/core-ir'
import { refuse } from '../arguments.ts'
import { inWords } from '@quern/core-ir'
import type { Types } from './define-layer.ts'

/** One number for both dims, or one for each. */
export type Pair = number | readonly [number, number]

export interface WindowOptions {
  readonly kernel: readonly [Index | number, Index | number]
  readonly stride: readonly [number, number]
  readonly padding: readonly [number, number]
  readonly dilation: readonly [number, number]
}

/** Both numbers of an option. */
export const pairOf = (
  op: string,
  option: string,
  x: Pair | undefined,
  fallback: number,
  least: number,
): readonly [number, number] => {
  const both: readonly unknown[] = x === undefined ? [fallback, fallback] : Array.isArray(x) ? x : [x, x]
  if (both.length !== 2 || !both.every(n => typeof n === 'number' && Number.isSafeInteger(n) && n >= least))
    refuse(
      'model/option-value',
      `${op} takes ${option} as a whole number from ${least} up, or as two of them, [vertical, horizontal], and was given ${inWords(x)}`,
      { op, option },
    )
  return both as readonly [number, number]
}

/** Where sizes are known, at least one window fits. */
export const windowFits: Constraint<Types, WindowOptions> = {
  id: 'window-fits',
  says: 'the window to fit into x and its padding',
  holds: ({ x }, window) => [0, 1].every(i => roomOf(x, window, i).every(r => r === undefined || r >= 0)),
  found: ({ x }, { kernel, padding }) =>
    `a window of ${kernel.map(k => said(k)).join(' × ')} does not fit into ${(x?.shape.slice(-2) ?? []).map(d => printIndex(d)).join(' × ')} with a padding of ${padding.join(' × ')}`,
}

/** What is left along a dim once a window lies in it; nothing where a size is symbolic. */
const roomOf = (
  x: Types[string],
  { kernel, padding, dilation }: WindowOptions,
  i: number,
): readonly (number | undefined)[] => {
  const extent = x?.shape.at(i - 2)
  const size = kernel[i] ?? 1
  const length = typeof size === 'number' ? size : ix.isConst(size) ? size.value : undefined
  if (extent === undefined || !ix.isConst(extent) || length === undefined) return [undefined]
  return [extent.value + 2 * (padding[i] ?? 0) - (dilation[i] ?? 1) * (length - 1) - 1]
}

const said = (k: Index | number): string => (typeof k === 'number' ? String(k) : printIndex(k))
