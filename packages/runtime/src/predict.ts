/** @file What the cost model predicts of a program's runs, over the dims that may come. */
import type { ArtifactParts, LoadOptions, SymbolBounds } from '@quern/artifact'
import { type SymbolValues, evaluate } from './expr.ts'
import { own } from './own.ts'

export interface Prediction {
  readonly ms: number
  /** In words, with the dims at which it holds. */
  readonly says: string
}

/** What a dim without a bound counts as where devices are compared: large, and still a figure to speak of. */
const largeDim = 1 << 20

/** A dim that `load` was told of is that everywhere. */
const dimsAt = (
  { manifest }: ArtifactParts,
  { dims = {} }: LoadOptions,
  end: (bounds: SymbolBounds) => number,
): SymbolValues =>
  Object.fromEntries(Object.entries(manifest.symbols).map(([name, bounds]) => [name, own(dims, name) ?? end(bounds)]))

/** The slowest entry of a program. */
const predict = ({ manifest }: ArtifactParts, dims: SymbolValues): Prediction => {
  const ms = Math.max(0, ...Object.values(manifest.entries).map(e => evaluate(e.predictedMs, dims)))
  const at = Object.entries(dims).map(([name, value]) => `${name} = ${value}`)
  return { ms, says: `${ms.toFixed(2)} ms a run${at.length > 0 ? ` at ${at.join(', ')}` : ''}` }
}

/** Both ends of the bounds: the sum of their times. */
export const predictAtEnds = (parts: ArtifactParts, options: LoadOptions): Prediction => {
  const low = predict(
    parts,
    dimsAt(parts, options, b => b.min),
  )
  const high = predict(
    parts,
    dimsAt(parts, options, b => b.max ?? Math.max(b.min, largeDim)),
  )
  return {
    ms: low.ms + high.ms,
    says: `predicted ${low.says === high.says ? low.says : `${low.says}, ${high.says}`}`,
  }
}

/** The longest run that the bounds permit: work grows with every dim. Not finite where one of them has no bound and matters. */
export const predictMost = (parts: ArtifactParts, options: LoadOptions): Prediction => {
  const most = predict(
    parts,
    dimsAt(parts, options, b => b.max ?? Infinity),
  )
  return Number.isFinite(most.ms)
    ? { ms: most.ms, says: `predicted at most ${most.says}` }
    : { ms: Infinity, says: 'a dim has no bound, so a run may take long' }
}
