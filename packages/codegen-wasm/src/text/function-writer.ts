/** @file Writes one function: locals, indentation, and places in earlier text that still take lines. */
import { Names, type WasmType, get, safeComment } from './wat.ts'

/** A run of lines that is still open; nested chunks keep their place. */
export interface Chunk {
  readonly depth: number
  readonly lines: (string | Chunk)[]
}

export class FunctionWriter {
  private readonly names = new Names()
  private readonly labels = new Names()
  private readonly params: { readonly name: string; readonly type: WasmType }[] = []
  private readonly locals: { readonly name: string; readonly type: WasmType }[] = []
  private readonly root: Chunk = { depth: 1, lines: [] }
  private current: Chunk = this.root
  private result: WasmType | undefined

  param(hint: string, type: WasmType): string {
    const name = this.names.fresh(hint)
    this.params.push({ name, type })
    return name
  }
  returns(type: WasmType): void {
    this.result = type
  }
  local(hint: string, type: WasmType): string {
    const name = this.names.fresh(hint)
    this.locals.push({ name, type })
    return name
  }
  /** Takes back a local that nothing mentions after all. */
  drop(name: string): void {
    this.locals.splice(
      this.locals.findIndex(l => l.name === name),
      1,
    )
  }
  /** A label; wasm keeps labels and locals apart, so that a loop may be named like its axis. */
  label(hint: string): string {
    return this.labels.fresh(hint)
  }

  line(text: string): void {
    this.current.lines.push('  '.repeat(this.current.depth) + text)
  }
  comment(text: string): void {
    this.line(`;; ${safeComment(text)}`)
  }
  set(name: string, value: string): void {
    this.line(`(local.set ${name} ${value})`)
  }
  /** Puts a value into a new local and returns its use. */
  hold(value: string, type: WasmType, hint = 't'): string {
    const name = this.local(hint, type)
    this.set(name, value)
    return get(name)
  }

  /** A place at the current point that takes lines later. */
  chunk(): Chunk {
    const chunk: Chunk = { depth: this.current.depth, lines: [] }
    this.current.lines.push(chunk)
    return chunk
  }
  /** Puts a chunk that was filled apart from the text at the current point. */
  append(chunk: Chunk): void {
    this.current.lines.push(chunk)
  }
  /** Writes into an earlier chunk. */
  into<T>(chunk: Chunk, write: () => T): T {
    const saved = this.current
    this.current = chunk
    const result = write()
    this.current = saved
    return result
  }
  /** Opens a parenthesis, writes the body one level deeper, closes it. */
  block(open: string, body: () => void): void {
    this.line(`(${open}`)
    const inner: Chunk = { depth: this.current.depth + 1, lines: [] }
    this.current.lines.push(inner)
    this.into(inner, body)
    this.line(')')
  }
  if(condition: string, then: () => void, otherwise?: () => void): void {
    this.block(`if ${condition}`, () => {
      this.block('then', then)
      if (otherwise !== undefined) this.block('else', otherwise)
    })
  }

  /** The whole function; `head` is its identifier and export. */
  finish(head: string): string {
    const params = this.params.map(p => ` (param ${p.name} ${p.type})`).join('')
    const result = this.result === undefined ? '' : ` (result ${this.result})`
    const byType = new Map<WasmType, string[]>()
    for (const l of this.locals) byType.set(l.type, [...(byType.get(l.type) ?? []), l.name])
    const lines = [`(func ${head}${params}${result}`]
    for (const [type, names] of byType) lines.push(`  ${names.map(n => `(local ${n} ${type})`).join(' ')}`)
    lines.push(...flatten(this.root), ')')
    return lines.join('\n')
  }
}

/** Whether a chunk holds a text. */
export const holdsText = (chunk: Chunk, text: string): boolean =>
  chunk.lines.some(l => (typeof l === 'string' ? l.includes(text) : holdsText(l, text)))

const flatten = (chunk: Chunk): string[] => chunk.lines.flatMap(l => (typeof l === 'string' ? [l] : flatten(l)))
