/** @file The plugin for Rollup and Rolldown; imports no Vite. */
export {}
