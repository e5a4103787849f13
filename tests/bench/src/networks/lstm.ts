/** @file Shape and seeded weights of the LSTM. Gates in PyTorch's order: input, forget, cell, output. */
import { type Parameter, spread } from './weights.ts'

export const lstm = { width: 128, steps: 64 } as const
const { width } = lstm
export const lstmParameters: readonly Parameter[] = [
  { name: 'input', shape: [4 * width, width], scale: spread(width) },
  { name: 'recurrent', shape: [4 * width, width], scale: spread(width) },
  { name: 'bias', shape: [4 * width], scale: 0.1 },
]
