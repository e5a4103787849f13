/** @file Weights of the perceptron. */
import { type Parameter, spread } from './weights.ts'

export const mlpParameters: readonly Parameter[] = [
  { name: 'fc1.weight', shape: [256, 784], scale: spread(784) },
  { name: 'fc1.bias', shape: [256], scale: 0.1 },
  { name: 'fc2.weight', shape: [10, 256], scale: spread(256) },
  { name: 'fc2.bias', shape: [10], scale: 0.1 },
]
