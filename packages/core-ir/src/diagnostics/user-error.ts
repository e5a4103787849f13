/** @file An error as the person who made the mistake reads it: the sentence, their line, the operands and where they came from. */
import { codeFrame } from './frame.ts'
import type { Span } from './span.ts'

/** An operand, as constraint errors describe it in `details.operands`. */
export interface OperandNote {
  readonly role?: string | undefined
  readonly type: string
  readonly name?: string | undefined
  readonly origin?: Span | undefined
}

export interface UserError {
  readonly code: string
  readonly message: string
  readonly span?: Span | undefined
  readonly operands?: readonly OperandNote[]
}

export interface FrameOptions {
  /** Text of the file that the span names; no lines are quoted without it. */
  readonly source?: string | undefined
  /** How a file's name is shown; default: its last part. */
  readonly show?: (file: string) => string
}

const lastPart = (file: string): string => file.slice(Math.max(file.lastIndexOf('/'), file.lastIndexOf('\\')) + 1)
const place = (span: Span, show: (file: string) => string): string => `${show(span.file)}:${span.line}:${span.column}`

/** Everything below the sentence: place, quoted lines, operands. Empty where nothing is known. */
export const formatFrame = (error: UserError, options: FrameOptions = {}): string => {
  const show = options.show ?? lastPart
  const { span, operands = [] } = error
  const lines: string[] = []
  if (span !== undefined) {
    lines.push(place(span, show))
    if (options.source !== undefined && span.line <= options.source.split(/\r\n|\r|\n/).length)
      lines.push(...codeFrame(options.source, { ...span, length: span.length ?? 1 }).split('\n'))
  }
  const notes = operands.map(o => ({
    role: o.role ?? '',
    what: `${o.name === undefined ? '' : `${o.name}: `}${o.type}`,
    from: o.origin === undefined ? '' : `from ${place(o.origin, show)}`,
  }))
  const roleWidth = Math.max(0, ...notes.map(n => n.role.length))
  const whatWidth = Math.max(0, ...notes.map(n => n.what.length))
  for (const { role, what, from } of notes)
    lines.push(`${role.padEnd(roleWidth)}  ${what.padEnd(whatWidth)}   ${from}`.trimEnd())
  return lines.map(l => `  ${l}`).join('\n')
}

/** The whole error, as a terminal shows it. */
export const formatUserError = (error: UserError, options: FrameOptions = {}): string =>
  [`error[${error.code}] ${error.message}`, formatFrame(error, options)].filter(l => l !== '').join('\n')

const isRecord = (x: unknown): x is Readonly<Record<string, unknown>> => typeof x === 'object' && x !== null
const optionalString = (x: unknown): string | undefined => (typeof x === 'string' ? x : undefined)

/** A span out of an error's details, which may have crossed a thread. */
export const spanIn = (x: unknown): Span | undefined => {
  if (!isRecord(x)) return undefined
  const { file, line, column, length, name } = x
  if (typeof file !== 'string' || typeof line !== 'number' || typeof column !== 'number') return undefined
  return {
    file,
    line,
    column,
    ...(typeof length === 'number' ? { length } : {}),
    ...(typeof name === 'string' ? { name } : {}),
  }
}

/** The operands out of an error's details; those left out of an op's call are skipped. */
export const operandsIn = (x: unknown): readonly OperandNote[] =>
  !Array.isArray(x)
    ? []
    : x.filter(isRecord).flatMap(o =>
        typeof o['type'] === 'string'
          ? [
              {
                role: optionalString(o['role']),
                type: o['type'],
                name: optionalString(o['name']),
                origin: spanIn(o['origin']),
              },
            ]
          : [],
      )

/** What a person reads of a coded error: `details.origin` and `details.operands`, and its message without the code before it. */
export const userErrorOf = (error: {
  readonly code: string
  readonly message: string
  readonly details: Readonly<Record<string, unknown>>
}): UserError => {
  const prefix = `[${error.code}] `
  return {
    code: error.code,
    message: error.message.startsWith(prefix) ? error.message.slice(prefix.length) : error.message,
    span: spanIn(error.details['origin']),
    operands: operandsIn(error.details['operands']),
  }
}
