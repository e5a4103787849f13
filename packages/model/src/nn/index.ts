/** @file Layers and activations, named as PyTorch names them. Weights are records of tensors: no classes, no hidden state. */
export { flatten } from '../ops/movement.ts'
export { sigmoid, tanh } from '../ops/elementwise.ts'
export * from './activations.ts'
export { type BatchNormWeights, batchNorm } from './batch-norm.ts'
export { type ConvOptions, type ConvWeights, conv2d } from './conv2d.ts'
export { type LinearWeights, linear } from './linear.ts'
export { layerNorm, rmsNorm } from './norms.ts'
export { type PoolOptions, avgPool, maxPool } from './pools.ts'
