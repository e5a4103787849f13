/** @file The authoring language of `.model.ts` files. */
export {}
