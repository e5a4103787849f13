/** @file The convolutions that are measured alone: shapes and seeded weights, shared by model files and workloads. */
import { type Parameter, spread } from './weights.ts'

export interface ConvShape {
  readonly name: string
  readonly title: string
  readonly kernel: number
  readonly stride: number
  readonly size: number
  readonly from: number
  readonly to: number
  readonly depthwise?: boolean
}

export const conv3x3: ConvShape = {
  name: 'conv-3x3',
  title: 'conv 3 × 3, 64 → 64 at 56²',
  kernel: 3,
  stride: 1,
  size: 56,
  from: 64,
  to: 64,
}
export const conv1x1: ConvShape = {
  name: 'conv-1x1',
  title: 'conv 1 × 1, 256 → 256 at 14²',
  kernel: 1,
  stride: 1,
  size: 14,
  from: 256,
  to: 256,
}
export const conv7x7: ConvShape = {
  name: 'conv-7x7',
  title: 'conv 7 × 7, stride 2, 3 → 64 at 224²',
  kernel: 7,
  stride: 2,
  size: 224,
  from: 3,
  to: 64,
}
export const depthwise3x3: ConvShape = {
  name: 'conv-depthwise',
  title: 'depthwise 3 × 3, 128 at 56²',
  kernel: 3,
  stride: 1,
  size: 56,
  from: 128,
  to: 128,
  depthwise: true,
}

/** As much padding on each side as keeps the size at stride 1. */
export const paddingOf = ({ kernel }: ConvShape): number => kernel >> 1
export const convParameters = ({ name, kernel, from, to, depthwise }: ConvShape): readonly Parameter[] => {
  const inputs = depthwise === true ? 1 : from
  return [
    { name: `${name}.weight`, shape: [to, inputs, kernel, kernel], scale: spread(inputs * kernel * kernel) },
    { name: `${name}.bias`, shape: [to], scale: 0.5 },
  ]
}
