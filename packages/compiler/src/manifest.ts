/** @file Parts of the manifest that both targets share. */
import type { SymbolBounds } from '@quern/artifact'
import { type ProgramGraph, mergeSymbols } from '@quern/core-ir'

/** Bounds of the dims that callers bind; data-defined ones are the plan's own. */
export const symbolBounds = (program: ProgramGraph): Readonly<Record<string, SymbolBounds>> => {
  const bounds: Record<string, SymbolBounds> = {}
  const all = mergeSymbols(...[...program.entries.values()].map(g => g.symbols))
  for (const { name, min, max, multipleOf, upper } of all.values())
    if (upper === undefined)
      bounds[name] = { min, ...(max !== undefined && { max }), ...(multipleOf > 1 && { multipleOf }) }
  return bounds
}
