/** @file A manifest with nothing in it, for tests that need one of its parts. */
import type { Manifest } from '@quern/artifact'

export const bareManifest: Manifest = {
  format: 1,
  name: 'm',
  target: 'wasm',
  variant: 'simd',
  symbols: {},
  entries: {},
  states: [],
  code: { file: 'm.wasm', bytes: 0, sha256: [] },
  features: [],
  kernels: [],
}
