/** @file Walks over the tokens of a text: what every parser is written with. */
import { type DType, type QuernError, dtypes, isQuernError } from '@quern/artifact'
import type { Span } from '../diagnostics/span.ts'
import { type Token, syntaxError, tokenize } from './lexer.ts'
import { parseOrigin } from './origin.ts'

const isDType = (text: string): text is DType => (dtypes as readonly string[]).includes(text)

export class Cursor {
  readonly text: string
  private readonly tokens: readonly Token[]
  private at = 0

  constructor(text: string) {
    this.text = text
    this.tokens = tokenize(text)
  }

  peek(ahead = 0): Token {
    const token = this.tokens[Math.min(this.at + ahead, this.tokens.length - 1)]
    if (token === undefined) throw new RangeError('a text has at least its end token')
    return token
  }
  /** The token before the next one. */
  last(): Token {
    return this.peek(-1)
  }
  next(): Token {
    const token = this.peek()
    this.at++
    return token
  }

  error(message: string, token: Token = this.peek(), code?: string): QuernError {
    return syntaxError(this.text, token, message, code)
  }

  /** Runs what may throw because of the text at `token`, or up to where parsing has come, and says where. */
  located<T>(token: Token | undefined, make: () => T): T {
    try {
      return make()
    } catch (error) {
      if (isQuernError(error) && error.details['frame'] !== undefined) throw error
      const message = error instanceof Error ? error.message.replace(/^\[[^\]]*\] /, '') : String(error)
      throw this.error(message, token, isQuernError(error) ? error.code : undefined)
    }
  }

  is(text: string, ahead = 0): boolean {
    const token = this.peek(ahead)
    return token.text === text && (token.kind === 'punctuation' || token.kind === 'word')
  }
  /** Takes the token if it is next. */
  accept(text: string): boolean {
    if (!this.is(text)) return false
    this.at++
    return true
  }
  expect(text: string): Token {
    if (!this.is(text)) throw this.error(`expected ${JSON.stringify(text)} and found ${this.found()}`)
    return this.next()
  }
  found(): string {
    const token = this.peek()
    return token.kind === 'end' ? 'the end of the text' : JSON.stringify(token.text)
  }

  /** Whether the token `ahead` touches the one before it. */
  touches(ahead = 0): boolean {
    return this.peek(ahead).start === this.peek(ahead - 1).end
  }

  word(what: string): string {
    if (this.peek().kind !== 'word') throw this.error(`expected ${what} and found ${this.found()}`)
    return this.next().text
  }
  /** A bare or quoted name. */
  name(what: string): string {
    return this.peek().kind === 'string' ? this.next().text : this.word(what)
  }
  isName(): boolean {
    const { kind } = this.peek()
    return kind === 'word' || kind === 'string'
  }
  string(what: string): string {
    if (this.peek().kind !== 'string') throw this.error(`expected ${what} in quotes and found ${this.found()}`)
    return this.next().text
  }
  oneOf<const T extends string>(words: readonly T[], what: string): T {
    const found = words.find(w => this.is(w))
    if (found === undefined) throw this.error(`expected ${what} (${words.join(', ')}) and found ${this.found()}`)
    this.next()
    return found
  }
  /** A word with dashes inside, as ops and reasons have: the parts touch. */
  dashedWord(what: string): string {
    let text = this.word(what)
    while (this.is('-') && this.touches() && this.touches(1) && this.peek(1).kind !== 'punctuation')
      text += this.next().text + this.next().text
    return text
  }
  dashed<const T extends string>(words: readonly T[], what: string): T {
    const token = this.peek()
    const text = this.dashedWord(what)
    const found = words.find(w => w === text)
    if (found === undefined) throw this.error(`expected ${what} (${words.join(', ')}) and found ${text}`, token)
    return found
  }

  isDType(ahead = 0): boolean {
    const token = this.peek(ahead)
    return token.kind === 'word' && isDType(token.text)
  }
  dtype(): DType {
    const token = this.peek()
    if (token.kind !== 'word' || !isDType(token.text)) throw this.error(`expected a dtype and found ${this.found()}`)
    this.next()
    return token.text
  }
  /** `:f32` written onto the token before it. */
  dtypeSuffix(): DType | undefined {
    if (!this.is(':') || !this.touches() || !this.isDType(1) || !this.touches(1)) return undefined
    this.next()
    return this.dtype()
  }

  /** A number with its sign; `inf` and `nan` too. */
  number(): number {
    const negative = this.accept('-')
    const token = this.next()
    const value =
      token.kind === 'number'
        ? Number(token.text)
        : token.text === 'inf'
          ? Infinity
          : token.text === 'nan'
            ? NaN
            : undefined
    if (value === undefined) throw this.error(`expected a number and found ${JSON.stringify(token.text)}`, token)
    return negative ? -value : value
  }
  integer(): number {
    const token = this.peek()
    const value = this.number()
    if (!Number.isSafeInteger(value)) throw this.error('expected an integer', token)
    return value
  }

  /** Items up to `close`, which is taken; `open` must have been. */
  list<T>(close: string, item: () => T, separator = ','): T[] {
    const items: T[] = []
    if (this.accept(close)) return items
    do items.push(item())
    while (this.accept(separator))
    this.expect(close)
    return items
  }

  /** The origin in a comment on the line of the token before this. */
  originHere(): Span | undefined {
    const { comments, line } = this.last()
    const [comment] = comments
    return comment === undefined || comment.line !== line ? undefined : parseOrigin(comment.text)
  }
  /** All origins in comments after the token before this. */
  originsHere(): Span[] {
    return this.last().comments.flatMap(c => parseOrigin(c.text) ?? [])
  }

  end(): void {
    if (this.peek().kind !== 'end') throw this.error(`expected the end and found ${this.found()}`)
  }
}

/** Parses all of a text. Throws nothing but errors with a place: what an IR's constructors refuse is refused there. */
export const parseAll = <T>(text: string, parse: (cursor: Cursor) => T): T => {
  const cursor = new Cursor(text)
  return cursor.located(undefined, () => {
    const result = parse(cursor)
    cursor.end()
    return result
  })
}
