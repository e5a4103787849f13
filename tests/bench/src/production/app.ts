/** @file What every app of the production comparison does with its first result. */
declare global {
  interface Window {
    first?: { readonly ms: number; readonly output: readonly number[] }
  }
  /** Set by the build: the input in the library's layout. */
  const INPUT_SHAPE: readonly number[]
}

/** The same image for everyone, in any layout. */
export const input = (): Float32Array<ArrayBuffer> => new Float32Array(INPUT_SHAPE.reduce((p, d) => p * d, 1)).fill(0.5)

export const show = (output: ArrayLike<number>): void => {
  window.first = { ms: performance.now(), output: Array.from(output) }
}
