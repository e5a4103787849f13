/** @file What one page hands to the command that opened it: one workload at one number of threads. */
export type Outcome =
  | { readonly kind: 'timed'; readonly median: number; readonly best: number; readonly error: number }
  /** It ran, and the judge disagrees; its time is no time. */
  | { readonly kind: 'wrong'; readonly error: number }
  | { readonly kind: 'failed'; readonly message: string }

export interface PageResult {
  readonly workload: string
  readonly threads: number
  /** Operations or bytes a second that this machine reached on this page. */
  readonly peak: number
  readonly outcomes: Readonly<Record<string, Outcome>>
}
