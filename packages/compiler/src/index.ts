/** @file The pipeline: program in, artifact out. */
export * from './pipeline.ts'
export * from './options.ts'
export type { PreparedCache } from './prepare/preparation.ts'
