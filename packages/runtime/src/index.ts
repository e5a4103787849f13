/** @file Loads an artifact and runs it. */
export { checkLoadOptions } from './check-options.ts'
export { type RuntimeParts, createModel } from './create-model.ts'
export { hasRelaxedSimd } from './wasm/relaxed-simd.ts'
