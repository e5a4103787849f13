/** @file Identifiers and comments made of names that a user chose: nothing of theirs reaches WGSL unescaped. */
import type { Span } from '@quern/core-ir'

/** Hands out identifiers: a prefix of ours, what is left of the user's name, and a number where that is taken. */
export class Names {
  private readonly taken = new Set<string>()

  /** The prefix keeps identifiers clear of WGSL's keywords, builtins and reserved forms. */
  fresh(prefix: string, hint = ''): string {
    const plain = hint
      .replaceAll(/[^A-Za-z0-9]+/g, '_')
      .replaceAll(/^_+|_+$/g, '')
      .slice(0, 40)
    const stem = plain === '' ? prefix : `${prefix}_${plain}`
    let name = stem
    for (let i = 1; this.taken.has(name); i++) name = `${stem}_${i}`
    this.taken.add(name)
    return name
  }
}

/** Text of a line comment: printable ASCII, so no line break that WGSL knows ends it early. */
export const safeComment = (text: string): string => text.replaceAll(/[^\x20-\x7e]/g, '?').slice(0, 200)

export const lineOf = (span: Span): string =>
  `${span.file}:${span.line}:${span.column}${span.name === undefined ? '' : ` (${span.name})`}`
