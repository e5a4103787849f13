/** @file Runs a model file in a worker thread and compiles what it exports. */
export {}
