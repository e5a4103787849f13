/** @file Writes indented lines and remembers on which line each part of an IR stands. */
import type { Printed } from '../diagnostics/diagnostic.ts'

/** A text inside a part: its first line is `below` lines under the part's own. */
export interface Inner {
  readonly prefix: string
  readonly below: number
  readonly printed: Printed
}

export class Writer {
  private readonly out: string[] = []
  private readonly lines = new Map<string, number>()
  private depth = 0

  /** Writes one part, of one line or more; `path` names the part of the IR that stands there. */
  line(text: string, path?: string, inner: readonly Inner[] = []): void {
    const own = this.out.length + 1
    for (const line of text.split('\n')) this.out.push('  '.repeat(this.depth) + line)
    if (path !== undefined) this.lines.set(path, own)
    for (const { prefix, below, printed } of inner)
      for (const [at, line] of printed.lines) this.lines.set(`${prefix}.${at}`, own + below + line - 1)
  }

  indented(write: () => void): void {
    this.depth++
    write()
    this.depth--
  }

  finish(): Printed {
    return { text: this.out.join('\n'), lines: this.lines }
  }
}
