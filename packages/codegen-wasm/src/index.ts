/** @file Kernels and plans to one WebAssembly module. */
export {}
