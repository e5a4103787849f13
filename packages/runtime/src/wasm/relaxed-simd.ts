/** @file Whether this engine has relaxed SIMD. */

/** The smallest module with one of its operations: a function of nothing that gives `i8x16.relaxed_swizzle` of two splats. */
const probe =
  '\0asm\x01\0\0\0\x01\x05\x01\x60\0\x01\x7b\x03\x02\x01\0\x0a\x0f\x01\x0d\0A\x01\xfd\x0fA\x02\xfd\x0f\xfd\x80\x02\x0b'

export const hasRelaxedSimd = (): boolean => WebAssembly.validate(Uint8Array.from(probe, c => c.charCodeAt(0)))
