/** @file How many random cases tests draw, and from which seed: few and always the same, unless a sweep asks for more. */
import type fc from 'fast-check'

const asked = (name: string): number | undefined => {
  const value = Number(process.env[name] ?? NaN)
  return Number.isSafeInteger(value) ? value : undefined
}

/** `QUERN_RUNS=200 QUERN_SEED=7 vitest run …`; a sweep without a seed takes the clock's, which a failure prints. */
export const runs = (usual: number): fc.Parameters<unknown> & { readonly numRuns: number } => {
  const numRuns = asked('QUERN_RUNS')
  const seed = asked('QUERN_SEED') ?? (numRuns === undefined ? 20 : Date.now() & 0x7fffffff)
  return { numRuns: numRuns ?? usual, seed }
}

/** Time for so many cases, and for shrinking the one that fails. */
export const timeFor = ({ numRuns }: { readonly numRuns: number }): number => 120_000 + 2_000 * numRuns
