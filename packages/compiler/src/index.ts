/** @file The pipeline from a program to an artifact. */
export {}
