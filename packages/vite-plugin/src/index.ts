/** @file The adapter for Vite, Rollup and Rolldown: `.model.ts` imports become compiled models. */
export {}
