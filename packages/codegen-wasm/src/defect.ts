/** @file The error for input that no earlier phase should have let through. */
import { QuernError } from '@quern/artifact'

export const defect = (message: string, details: Readonly<Record<string, unknown>> = {}): QuernError =>
  new QuernError('compiler/bad-kernel', `this is a defect of the compiler, not of the model: ${message}`, details)
