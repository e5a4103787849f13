/** @file Failures as bundlers show them: in the terminal, and in Vite's overlay at the line of the model file. */
import { basename } from 'node:path'
import { QuernError } from '@quern/artifact'
import { type Evaluation, type Failure, failureOf } from '@quern/evaluate'
import type { ReportedError } from './bundler.ts'

/** A stack without the message, which bundlers print before it. */
export const placeLine = (place: string): string => `    at ${place}`

export const reportedError = (modelFile: string, failure: Failure): ReportedError => {
  const { code, message, frame, file, line, column, stack } = failure
  return {
    name: 'QuernError',
    message: `[${code}] ${message}`,
    id: modelFile,
    frame,
    // The stack of the evaluation thread would name Quern's own files: what helps is the place in the user's, but for a defect of ours.
    stack: code.startsWith('compiler/')
      ? stack
      : placeLine(file === undefined ? modelFile : `${file}:${line}:${column}`),
    // From 1, as in the frame: the overlay shows this number as it is, and editors open it so.
    ...(file === undefined || line === undefined ? {} : { loc: { file, line, column: column ?? 1 } }),
  }
}

/** An export that is neither a model nor data cannot be in the bundle: the file itself is not. */
export const exportFailure = (file: string, { notData }: Evaluation): ReportedError | undefined => {
  const [first] = notData
  if (first === undefined) return undefined
  const all = notData.map(({ exportName, is }) => `\`${exportName}\`, which is ${is}`).join(', and ')
  return reportedError(
    file,
    failureOf(
      new QuernError(
        'model/export-not-data',
        `${basename(file)} exports ${all}: a model file exports models, programs and plain data, since it runs at build time only; move the rest to another file`,
        { exports: notData.map(n => n.exportName), origin: first.at },
      ),
    ),
  )
}

/** An error that concerns a whole file. */
export const asReported = ({ name, message }: QuernError, file: string): ReportedError => ({
  name,
  message,
  id: file,
  stack: placeLine(file),
})
