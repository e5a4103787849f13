/**
 * @file A thread that waits for the next evaluation with the compiler loaded, so that whoever saves a model file does not wait for
 * that. Every evaluation still has a thread of its own: what a model file left behind is gone with it.
 */
import { type Thread, startThread } from './thread.ts'

export interface Standby {
  /** Starts a thread, unless one waits. */
  prepare(): void
  /** The thread that waits, or a new one. */
  take(): Thread
}

export const createStandby = (): Standby => {
  let waiting: Thread | undefined
  return {
    prepare: () => void (waiting ??= startThread()),
    take: () => {
      const thread = waiting ?? startThread()
      waiting = undefined
      return thread
    },
  }
}
