/** @file How many random cases tests draw, and from which seed: few and always the same, unless a sweep asks for more. */
import type fc from 'fast-check'

/** A switch that is empty is not set; one that says anything but a number ends the test: no cases would pass for all. */
const asked = (name: string, least: number): number | undefined => {
  const text = process.env[name]?.trim() ?? ''
  if (text === '') return undefined
  const value = Number(text)
  if (Number.isSafeInteger(value) && value >= least) return value
  throw new Error(`${name} is ${JSON.stringify(text)}, and takes a whole number of at least ${least}`)
}

/** `QUERN_RUNS=200 QUERN_SEED=7 vitest run …`; a sweep without a seed takes the clock's, which a failure prints. */
export const runs = (usual: number): fc.Parameters<unknown> & { readonly numRuns: number } => {
  const numRuns = asked('QUERN_RUNS', 1)
  const seed = asked('QUERN_SEED', 0) ?? (numRuns === undefined ? 20 : Date.now() & 0x7fffffff)
  return { numRuns: numRuns ?? usual, seed }
}

/** Time for so many cases, and for shrinking the one that fails. */
export const timeFor = ({ numRuns }: { readonly numRuns: number }): number => 120_000 + 2_000 * numRuns
