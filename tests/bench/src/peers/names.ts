/** @file Names of who takes part, for the command line and the tables. */
export const peerTitles: Readonly<Record<string, string>> = {
  quern: 'Quern',
  ort: 'onnxruntime-web',
  tfjs: 'tfjs (wasm)',
  jax: 'jax-js',
  hand: 'hand-written',
}
/** Who may win: hand-written loops are a yardstick, not a library. */
export const rivals: readonly string[] = ['ort', 'tfjs', 'jax']
