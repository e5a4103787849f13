/** @file Vite's aliases, as the imports of a model file see them. */
import type { Alias } from 'vite'

/** What a specifier is short for, or `undefined`. Vite's own aliases (of its client) stand for no module of a user. */
export const aliased = (specifier: string, aliases: readonly Alias[]): string | undefined => {
  for (const { find, replacement } of aliases) {
    if (typeof find === 'string' ? specifier !== find && !specifier.startsWith(`${find}/`) : !find.test(specifier))
      continue
    return specifier.replace(find, replacement)
  }
  return undefined
}
