/** @file Kernels and plans to one WebAssembly module. */
export { type Assemble, type AssembleFeatures, assemble, loadAssembler } from './assemble.ts'
export { type EmittedEntry, type EmittedWasm, type WasmOptions, defaultMaxTeam, emitWasm } from './emit-wasm.ts'
