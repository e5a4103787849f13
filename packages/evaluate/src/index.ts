/** @file Runs a model file in a worker thread and compiles what it exports. Node only. */
export { fileOf } from './cache.ts'
export * from './evaluate.ts'
export { failureOf } from './failure.ts'
export { type Phase, type Progress, progressInWords } from './progress.ts'
export * from './standby.ts'
export * from './types.ts'
