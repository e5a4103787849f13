/** @file The text form of a user's line: `file:line:column`, with `+length` and ` as name` where known. */
import type { Span } from '../diagnostics/span.ts'

export const printOrigin = (span: Span): string => {
  const file =
    /^[^\s"][^\n\r"]*$/.test(span.file) && span.file === span.file.trim() ? span.file : JSON.stringify(span.file)
  const length = span.length === undefined ? '' : `+${span.length}`
  const name = span.name === undefined ? '' : ` as ${JSON.stringify(span.name)}`
  return `${file}:${span.line}:${span.column}${length}${name}`
}

/** undefined for any other comment. */
export const parseOrigin = (text: string): Span | undefined => {
  const found = /^(.*?):(\d+):(\d+)(?:\+(\d+))?(?: as ("(?:[^"\\]|\\.)*"))?$/.exec(text)
  if (found === null) return undefined
  const [, file = '', line, column, length, name] = found
  return {
    file: file.startsWith('"') ? String(JSON.parse(file)) : file,
    line: Number(line),
    column: Number(column),
    ...(length !== undefined && { length: Number(length) }),
    ...(name !== undefined && { name: String(JSON.parse(name)) }),
  }
}
