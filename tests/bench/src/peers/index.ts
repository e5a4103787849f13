/** @file Everyone who takes part. Loaded one by one, so that one that fails to load does not take the others along. */
import type { Peer } from './contestant.ts'

export const peers: Readonly<Record<string, () => Promise<Peer>>> = {
  quern: async () => (await import('./quern.ts')).quern,
  ort: async () => (await import('./onnxruntime.ts')).onnxruntime,
  tfjs: async () => (await import('./tfjs.ts')).tfjs,
  jax: async () => (await import('./jax.ts')).jaxjs,
  hand: async () => (await import('./handwritten.ts')).handwritten,
}
