/** @file Sizes of a product and of its tiles; see gemm.mjs. */
export declare const gemmWat: (sizes: Readonly<Record<string, number | boolean>>) => string
