/** @file The one error type that crosses package, worker and bundle boundaries. */

export interface QuernErrorFields {
  /** Words, not numbers: `matmul/inner-dims-agree`. Each code has a page in the docs. */
  readonly code: string
  /** The values that the message speaks of: plain data, cloneable to and from a worker. */
  readonly details: Readonly<Record<string, unknown>>
}

/** An error with a code in words. Test for it with {@link isQuernError}, never with `instanceof`: bundles and workers duplicate classes. */
export class QuernError extends Error implements QuernErrorFields {
  override readonly name = 'QuernError'
  readonly code: string
  readonly details: Readonly<Record<string, unknown>>
  constructor(code: string, message: string, details: Readonly<Record<string, unknown>> = {}, cause?: unknown) {
    super(`[${code}] ${message}`, cause === undefined ? undefined : { cause })
    this.code = code
    this.details = details
  }
}

export const isQuernError = (error: unknown): error is QuernError =>
  typeof error === 'object' &&
  error !== null &&
  (error as { name?: unknown }).name === 'QuernError' &&
  typeof (error as { code?: unknown }).code === 'string'
