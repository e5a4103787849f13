/** @file Where in a user's file something came from. */

/** A place in a source file; line and column count from 1. `name` is the variable the user gave the value, if any. */
export interface Span {
  readonly file: string
  readonly line: number
  readonly column: number
  /** Length of the underlined text in columns. */
  readonly length?: number
  readonly name?: string
}
