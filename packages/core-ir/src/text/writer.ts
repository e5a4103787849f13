/** @file Writes indented lines and remembers on which line each part of an IR stands. */
import type { Printed } from '../diagnostics/diagnostic.ts'

export class Writer {
  private readonly out: string[] = []
  private readonly lines = new Map<string, number>()
  private depth = 0

  /** Writes one line; `path` names the part of the IR that stands on it. */
  line(text: string, path?: string): void {
    // A part that holds a nested graph prints over several lines.
    const [first = '', ...rest] = text.split('\n')
    this.out.push('  '.repeat(this.depth) + first)
    if (path !== undefined) this.lines.set(path, this.out.length)
    for (const more of rest) this.out.push('  '.repeat(this.depth) + more)
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
