/** @file What a thread is busy with, for those who wait for it. */
import { relative } from 'node:path'
import type { Span } from '@quern/core-ir'

/** What a thread does: the model file runs in it, or one of its programs is compiled for a target. */
export type Phase =
  | { readonly doing: 'evaluating' }
  | { readonly doing: 'compiling'; readonly program: string; readonly target: string }

/** An evaluation that takes long. */
export interface Progress {
  readonly file: string
  readonly ms: number
  readonly phase: Phase
  /** The line of the user's that runs. */
  readonly at?: Span
}

const short = (file: string): string => {
  const path = relative(process.cwd(), file)
  return path === '' || path.startsWith('..') ? file : path
}

export const placeInWords = ({ file, line }: Span): string => `${short(file)}:${line}`

/** One line for a terminal. */
export const progressInWords = ({ file, ms, phase, at }: Progress): string => {
  const seconds = `${Math.round(ms / 1000)} s`
  return phase.doing === 'evaluating'
    ? `still evaluating ${short(file)} (${seconds})${at === undefined ? '' : `: ${placeInWords(at)} is running`}`
    : `still compiling ${phase.program} of ${short(file)} for ${phase.target} (${seconds})`
}
