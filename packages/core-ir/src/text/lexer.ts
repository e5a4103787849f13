/**
 * @file Splits IR text into tokens. `//` is both floor division and a comment: it begins a comment at the start of a line
 * or after two spaces, which is how the printers write it.
 */
import { QuernError } from '@quern/artifact'
import { type Place, codeFrame } from '../diagnostics/frame.ts'

export type TokenKind = 'word' | 'number' | 'bigint' | 'string' | 'punctuation' | 'end'

export interface Token extends Place {
  readonly kind: TokenKind
  /** As written; of strings, what they say. */
  readonly text: string
  readonly start: number
  readonly end: number
  /** Comments between this token and the next. */
  readonly comments: Comment[]
}
export interface Comment {
  readonly text: string
  readonly line: number
}

const patterns: readonly (readonly [TokenKind, RegExp])[] = [
  ['word', /[A-Za-z_$][\w$]*/y],
  ['bigint', /\d+n\b/y],
  ['number', /\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/y],
  ['string', /"(?:[^"\\\n]|\\.)*"/y],
  ['punctuation', /\.\.|->|\/\/|<=|>=|==|!=|[-+*/%()[\]{},:;=<>.!?#@&|^]/y],
]

export const syntaxError = (text: string, place: Place, message: string, code = 'text/syntax'): QuernError => {
  const frame = codeFrame(text, place)
  return new QuernError(code, `${message} at ${place.line}:${place.column}\n${frame}`, { ...place, frame })
}

export const tokenize = (text: string): Token[] => {
  const tokens: Token[] = []
  let at = 0,
    line = 1,
    lineStart = 0
  const place = (length: number): Place => ({ line, column: at - lineStart + 1, length })
  while (at < text.length) {
    const c = text[at] ?? ''
    if (c === '\n') {
      at++
      line++
      lineStart = at
    } else if (c === ' ' || c === '\t' || c === '\r') at++
    else if (text.startsWith('//', at) && startsComment(text, at, lineStart)) {
      const end = text.indexOf('\n', at)
      const stop = end < 0 ? text.length : end
      tokens.at(-1)?.comments.push({ text: text.slice(at + 2, stop).trim(), line })
      at = stop
    } else {
      const found = match(text, at)
      if (found === undefined) throw syntaxError(text, place(1), `unexpected character ${JSON.stringify(c)}`)
      const [kind, raw] = found
      tokens.push({
        kind,
        text: kind === 'string' ? unquote(text, raw, place(raw.length)) : raw,
        ...place(raw.length),
        start: at,
        end: at + raw.length,
        comments: [],
      })
      at += raw.length
    }
  }
  tokens.push({ kind: 'end', text: 'the end', ...place(1), start: at, end: at, comments: [] })
  return tokens
}

const startsComment = (text: string, at: number, lineStart: number): boolean =>
  text.slice(lineStart, at).trim() === '' || /[\t ]{2}$/.test(text.slice(lineStart, at))

const match = (text: string, at: number): readonly [TokenKind, string] | undefined => {
  for (const [kind, pattern] of patterns) {
    pattern.lastIndex = at
    const [raw] = pattern.exec(text) ?? []
    if (raw !== undefined) return [kind, raw]
  }
  return undefined
}

const unquote = (text: string, raw: string, place: Place): string => {
  try {
    return String(JSON.parse(raw))
  } catch {
    throw syntaxError(text, place, 'a string with an escape that JSON does not know')
  }
}
