/** @file MobileNetV2-1.0 at 224²: its layers and seeded weights, batch norms apart, as PyTorch's training leaves them. */
import { type NumericArray, type Parameter, type Weights, elements, spread, weightOf } from './weights.ts'

export interface ConvLayer {
  readonly name: string
  readonly from: number
  readonly to: number
  readonly kernel: number
  readonly stride: number
  readonly depthwise: boolean
  /** Clipped to 0 … 6 after its batch norm. */
  readonly clipped: boolean
}
/** Layers one after the other; `residual` adds the block's input to its result. */
export interface Block {
  readonly layers: readonly ConvLayer[]
  readonly residual: boolean
}

export const size = 224
export const classes = 1000
export const epsilon = 1e-5

/** Expansion, channels, repeats, stride of the first: table 2 of the paper. */
const stages = [
  [1, 16, 1, 1],
  [6, 24, 2, 2],
  [6, 32, 3, 2],
  [6, 64, 4, 2],
  [6, 96, 3, 1],
  [6, 160, 3, 2],
  [6, 320, 1, 1],
] as const

const layer = (
  name: string,
  from: number,
  to: number,
  kernel: number,
  stride: number,
  kind: { readonly depthwise?: boolean; readonly clipped?: boolean } = {},
): ConvLayer => ({
  name,
  from,
  to,
  kernel,
  stride,
  depthwise: kind.depthwise ?? false,
  clipped: kind.clipped ?? true,
})

const makeBlocks = (): readonly Block[] => {
  const blocks: Block[] = [{ layers: [layer('stem', 3, 32, 3, 2)], residual: false }]
  let from = 32
  for (const [expansion, to, repeats, firstStride] of stages)
    for (let i = 0; i < repeats; i++) {
      const name = `block${blocks.length}`,
        stride = i === 0 ? firstStride : 1,
        wide = from * expansion
      blocks.push({
        layers: [
          ...(expansion === 1 ? [] : [layer(`${name}.expand`, from, wide, 1, 1)]),
          layer(`${name}.depthwise`, wide, wide, 3, stride, { depthwise: true }),
          layer(`${name}.project`, wide, to, 1, 1, { clipped: false }),
        ],
        residual: stride === 1 && from === to,
      })
      from = to
    }
  blocks.push({ layers: [layer('head', from, 1280, 1, 1)], residual: false })
  return blocks
}
export const blocks = makeBlocks()
export const layers = blocks.flatMap(b => b.layers)

export const parameters: readonly Parameter[] = [
  ...layers.flatMap(({ name, from, to, kernel, depthwise }): Parameter[] => {
    const inputs = (depthwise ? 1 : from) * kernel * kernel
    return [
      { name: `${name}.conv`, shape: [to, depthwise ? 1 : from, kernel, kernel], scale: spread(inputs, Math.SQRT2) },
      { name: `${name}.gamma`, shape: [to], scale: 0.2, mean: 1 },
      { name: `${name}.beta`, shape: [to], scale: 0.2 },
      { name: `${name}.mean`, shape: [to], scale: 0.2 },
      { name: `${name}.variance`, shape: [to], scale: 0.3, mean: 1 },
    ]
  }),
  { name: 'classifier.weight', shape: [classes, 1280], scale: spread(1280) },
  { name: 'classifier.bias', shape: [classes], scale: 0.1 },
]

/** Operations of one image, from the layers. */
export const flops = (): number => {
  let side = size,
    sum = 0
  for (const { from, to, kernel, stride, depthwise } of layers) {
    side = Math.ceil(side / stride)
    sum += 2 * side * side * to * (depthwise ? 1 : from) * kernel * kernel
  }
  return sum + 2 * 1280 * classes
}

/** Batch norms multiplied into the weights: `<layer>.weight` and `<layer>.bias`. */
export const folded = (weights: Weights): Weights => {
  const out: Record<string, NumericArray> = {}
  for (const { name } of layers) {
    const [conv, gamma, beta, mean, variance] = ['conv', 'gamma', 'beta', 'mean', 'variance'].map(part =>
      weightOf(weights, `${name}.${part}`),
    ) as [NumericArray, NumericArray, NumericArray, NumericArray, NumericArray]
    const factors = gamma.data.map((g, i) => g / Math.sqrt((variance.data[i] ?? 1) + epsilon))
    const each = elements(conv.shape.slice(1))
    out[`${name}.weight`] = {
      shape: conv.shape,
      data: conv.data.map((w, i) => w * (factors[Math.floor(i / each)] ?? 1)),
    }
    out[`${name}.bias`] = {
      shape: beta.shape,
      data: beta.data.map((b, i) => b - (mean.data[i] ?? 0) * (factors[i] ?? 1)),
    }
  }
  for (const name of ['classifier.weight', 'classifier.bias']) out[name] = weightOf(weights, name)
  return out
}
