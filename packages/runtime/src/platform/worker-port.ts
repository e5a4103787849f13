/** @file A worker as the runtime uses it; the same surface over both platforms. */
export interface WorkerPort {
  post(message: unknown, transfer?: readonly ArrayBuffer[]): void
  onMessage(receive: (message: unknown) => void): void
  onError(fail: (error: unknown) => void): void
  /** Whether an answer is awaited: only then does the worker keep a process alive. */
  awaited(is: boolean): void
  terminate(): void
}
