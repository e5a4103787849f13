/** @file Compiles a model and runs it, in one process. */
export {}
