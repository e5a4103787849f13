/** @file Loads a compiled model and runs it, on WebAssembly or WebGPU. */
export {}
