/** @file Turns whatever was thrown into a {@link Failure}: the user's line, from the error's details or from its stack. */
import { readFileSync } from 'node:fs'
import { relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { QuernError, isQuernError } from '@quern/artifact'
import { type Span, type UserError, inWords, formatFrame, formatUserError, userErrorOf } from '@quern/core-ir'
import type { Failure } from './types.ts'

export interface FailureContext {
  /** The user's own files: a stack is read down to the first of them. */
  readonly files: readonly string[]
  /** Where what was thrown was thrown, if it has no stack. */
  readonly thrownAt?: Span | undefined
}

export const sourceOf = (file: string): string | undefined => {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return undefined
  }
}

const show = (file: string): string => {
  const path = relative(process.cwd(), file)
  return path === '' || path.startsWith('..') ? file : path
}

/** The first frame of a stack that is in one of `files`. Source maps are on in the worker, so lines are the user's. */
export const spanFromStack = (stack: string, files: readonly string[]): Span | undefined => {
  for (const line of stack.split('\n')) {
    const [, place, row, column] = /\(?((?:file:\/\/|\/|[A-Za-z]:[\\/])[^()]*?):(\d+):(\d+)\)?$/.exec(line.trim()) ?? []
    if (place === undefined) continue
    const file = place.startsWith('file:') ? fileURLToPath(place) : place
    if (files.includes(file)) return { file, line: Number(row), column: Number(column) }
  }
  return undefined
}

/** Drops what cannot cross a thread (functions, symbols) from an error's details. */
const plain = (details: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> => {
  try {
    return structuredClone(details)
  } catch {
    return Object.fromEntries(Object.entries(details).map(([key, value]) => [key, String(value)]))
  }
}

const makeFailure = (error: UserError, details: Readonly<Record<string, unknown>>, stack: string): Failure => {
  const { span } = error
  const options = { source: span && sourceOf(span.file), show }
  return {
    code: error.code,
    message: error.message,
    frame: formatFrame(error, options),
    text: formatUserError(error, options),
    details: plain(details),
    stack,
    ...(span === undefined ? {} : { file: span.file, line: span.line, column: span.column }),
  }
}

const nowhere: FailureContext = { files: [] }

export const failureOf = (thrown: unknown, context: FailureContext = nowhere): Failure => {
  const stack = thrown instanceof Error ? (thrown.stack ?? '') : ''
  const error = isQuernError(thrown) ? thrown : asQuernError(thrown)
  const said = userErrorOf(error)
  // Of a defect, the stack is what helps: it goes into the report that the user makes.
  if (error.code.startsWith('compiler/')) {
    const cause = error.cause instanceof Error ? (error.cause.stack ?? stack) : stack
    const failure = makeFailure(said, error.details, cause)
    return { ...failure, text: `${failure.text}\n${cause}` }
  }
  const span = said.span ?? spanFromStack(stack, context.files) ?? context.thrownAt
  return makeFailure({ ...said, span }, error.details, stack)
}

const asQuernError = (thrown: unknown): QuernError =>
  thrown instanceof Error
    ? new QuernError('model/threw', `${thrown.name}: ${thrown.message}`)
    : new QuernError('model/threw', `it threw ${inWords(thrown)}`)
