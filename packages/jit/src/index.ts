/** @file Compiles and runs in process. */
export * from './jit.ts'
