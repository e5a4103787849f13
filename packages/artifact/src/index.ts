/** @file The format of a compiled model: manifest, plan, buffers, public types. Types and constants, nothing else. */
export * from './dtype.ts'
export * from './manifest.ts'
export * from './public-types.ts'
export * from './quern-error.ts'
