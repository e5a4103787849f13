/** @file Hardware-independent graph passes and fusion. */
export * from './optimise.ts'
export * from './passes/pass.ts'
export { canonicaliseRules } from './passes/canonicalise.ts'
export { decomposeComposites } from './passes/decompose.ts'
export * from './regions/form-regions.ts'
export * from './regions/kinds.ts'
export * from './rows/independent-rows.ts'
