/** @file The pipeline: program in, artifact out. */
export * from './compile.ts'
export * from './options.ts'
