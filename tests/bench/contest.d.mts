/** @file What the TypeScript of this folder uses of `contest.mjs`. */
export declare const assemble: (name: string, text: string) => Promise<Uint8Array>
