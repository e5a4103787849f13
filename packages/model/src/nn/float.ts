/** @file The dtypes of layers. */
export type Float = 'f32' | 'f16' | 'f64'
