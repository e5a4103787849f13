/** @file What a verifier reports: a code, a sentence, and the place underlined in the printed text. */
import { QuernError } from '@quern/artifact'
import { type Place, codeFrame } from './frame.ts'

export interface Diagnostic {
  readonly code: string
  readonly message: string
  readonly place: Place
  readonly frame: string
}

/** A printed IR and the line of each of its parts, by path (`body.0.then.2`). */
export interface Printed {
  readonly text: string
  readonly lines: ReadonlyMap<string, number>
}

/** Prints on the first finding: most of what is verified has none. */
export const printedOnce = (print: () => Printed): (() => Printed) => {
  let printed: Printed | undefined
  return () => (printed ??= print())
}

/** Places a finding in a printed text: the whole line of the part at `path`, or the first `focus` in it. */
export const diagnose = (printed: Printed, path: string, code: string, message: string, focus?: string): Diagnostic => {
  const line = printed.lines.get(path) ?? 1
  const content = printed.text.split('\n')[line - 1] ?? ''
  const indent = content.length - content.trimStart().length
  const at = focus === undefined ? -1 : findWord(content, focus)
  const place =
    focus === undefined || at < 0
      ? { line, column: indent + 1, length: Math.max(1, content.trim().length) }
      : { line, column: at + 1, length: focus.length }
  return { code, message, place, frame: codeFrame(printed.text, place) }
}

const findWord = (line: string, word: string): number => {
  const isWord = (c: string | undefined): boolean => c !== undefined && /[\w$]/.test(c)
  for (let at = line.indexOf(word); at >= 0; at = line.indexOf(word, at + 1))
    if (!(isWord(line[at - 1]) && isWord(word[0])) && !(isWord(line[at + word.length]) && isWord(word.at(-1))))
      return at
  return -1
}

/** Throws the findings as one error; its code is that of the first. */
export const throwDiagnostics = (what: string, diagnostics: readonly Diagnostic[]): void => {
  const [first] = diagnostics
  if (first === undefined) return
  const said = diagnostics.map(d => `[${d.code}] ${d.message}\n${d.frame}`).join('\n\n')
  throw new QuernError(first.code, `${what} is not valid\n${said}`, { diagnostics })
}
