/** @file The excerpt of a text that an error shows: the lines around a place, with the place underlined. */

/** Lines and columns count from 1. */
export interface Place {
  readonly line: number
  readonly column: number
  readonly length: number
}

/** Longer lines are shown around the place only. */
const widest = 160

export const codeFrame = (text: string, { line, column, length }: Place, around = 1): string => {
  const lines = text.split(/\r\n|\r|\n/)
  const first = Math.max(1, line - around)
  const last = Math.min(lines.length, line + around)
  const width = `${last}`.length
  const from = column + length <= widest ? 0 : Math.max(0, column - widest / 2)
  const cut = (line: string): string =>
    (from > 0 ? '…' : '') + line.slice(from, from + widest) + (line.length > from + widest ? '…' : '')
  const shown: string[] = []
  for (let n = first; n <= last; n++) {
    const content = lines[n - 1] ?? ''
    shown.push(`${`${n}`.padStart(width)} | ${cut(content)}`)
    if (n !== line) continue
    const marks = Math.max(1, Math.min(length, content.length - column + 1, from + widest - column + 1))
    // Tabs stay tabs, so that the marks stand under the text whatever their width.
    const lead = content
      .slice(from, column - 1)
      .replace(/[^\t]/g, ' ')
      .padEnd(column - 1 - from)
    shown.push(`${' '.repeat(width)} | ${from > 0 ? ' ' : ''}${lead}${'^'.repeat(marks)}`)
  }
  return shown.join('\n')
}
