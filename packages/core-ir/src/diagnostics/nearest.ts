/** @file The name that was probably meant: what turns "unknown" into "did you mean". */

/** Insertions, deletions, replacements and swaps of neighbours that lead from one word to another. */
const distance = (a: string, b: string): number => {
  let before: number[] = [],
    row = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1]
      let best = Math.min((row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1, (row[j - 1] ?? 0) + (same ? 0 : 1))
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        best = Math.min(best, (before[j - 2] ?? 0) + 1)
      next.push(best)
    }
    before = row
    row = next
  }
  return row.at(-1) ?? 0
}

/** Case and separators are what people get wrong first: they count for little. */
const plain = (name: string): string => name.toLowerCase().replace(/[-_\s]/g, '')
const longest = 100

/** The known name that is closest to a word, or `undefined` where none is close. */
export const nearest = (word: string, known: Iterable<string>): string | undefined => {
  if (word.length > longest) return undefined
  const wanted = plain(word)
  const allowed = Math.max(1, Math.floor(wanted.length / 3))
  let found: string | undefined,
    least = allowed + 1
  for (const name of known) {
    if (Math.abs(plain(name).length - wanted.length) >= least) continue
    const far = distance(wanted, plain(name))
    if (far < least) [found, least] = [name, far]
  }
  return found
}

const shown = 16

/** What to say of an unknown name: the one that was meant, or those that there are. */
export const didYouMean = (word: string, known: readonly string[]): string => {
  const close = nearest(word, known)
  if (close !== undefined) return `did you mean ${close}?`
  if (known.length === 0) return 'there is none'
  return `there are ${known.slice(0, shown).join(', ')}${known.length > shown ? ', …' : ''}`
}
