/** @file Indented lines. */
export class Writer {
  private readonly lines: string[] = []
  private depth = 0

  line(text: string): void {
    for (const part of text.split('\n')) this.lines.push('  '.repeat(this.depth) + part)
  }
  /** A head, an indented body, a brace; `otherwise` is the body of an else. */
  block(head: string, body: () => void, otherwise?: () => void): void {
    this.line(`${head} {`)
    this.indented(body)
    if (otherwise !== undefined) {
      this.line('} else {')
      this.indented(otherwise)
    }
    this.line('}')
  }
  indented(body: () => void): void {
    this.depth++
    body()
    this.depth--
  }
  finish(): string {
    return this.lines.join('\n')
  }
}
