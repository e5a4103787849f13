/** @file Loads an artifact and runs it. */
export { createModel } from './create-model.ts'
