/** @file What a region does to pictures, [batch, channels, ...spatial]: the family of its kernel, and how much it computes. */
import {
  type Graph,
  type Index,
  type Node,
  type PictureFamily,
  type TensorType,
  type Value,
  isGraph,
  ix,
} from '@quern/core-ir'
import { accessOf, isElementwise } from '../regions/access.ts'

export interface PictureKernel {
  /** `map`: every element from those at its own place. `whole`: a reduction over all pixels of a channel. */
  readonly family: PictureFamily | 'map' | 'whole'
  /** Position of the operand that the window passes over; −1 for maps. */
  readonly picture: number
  /** Products, comparisons. */
  readonly terms: number
}

/** A dim that no number is known for counts as this, but for a batch, which counts as one picture. */
const typicalExtent = 64

export const extentOf = (d: Index | undefined): number => (d !== undefined && ix.isConst(d) ? d.value : typicalExtent)

/** Elements of one picture of a batch. */
export const elementsOf = ({ shape }: TensorType): number =>
  shape.reduce((n, d, i) => n * (i === 0 && !ix.isConst(d) ? 1 : extentOf(d)), 1)

/** Whether a value is a picture: with channels, and more than one pixel. */
export const isPicture = ({ shape }: TensorType): boolean =>
  shape.length >= 3 && !shape.slice(2).every(d => ix.isConst(d, 1))

/** Undefined for what has no kernels in other layouts than row-major. */
export const pictureKernelOf = (region: Node): PictureKernel | undefined => {
  const { body } = region.attrs
  if (!isGraph(body)) return undefined
  let found: PictureKernel = { family: 'map', picture: -1, terms: 0 }
  for (const node of body.nodes) {
    if (node.op === 'constant' || isMap(node)) continue
    const anchor = found.family === 'map' ? anchorOf(node, body, region) : undefined
    if (anchor === undefined) return undefined
    found = anchor
  }
  return found
}

/** Of one shape throughout, or a broadcast, whose own places nobody asks for. */
const isMap = (node: Node): boolean => {
  if (node.op === 'broadcast') return true
  const access = accessOf(node)
  return access !== undefined && !access.reduces && access.positions.length === 0 && isElementwise(node, access)
}

const anchorOf = (node: Node, body: Graph, region: Node): PictureKernel | undefined => {
  const [x, weight] = node.operands
  const [result] = node.results
  const picture = body.inputs.findIndex(i => i.value === x)
  if (x === undefined || result === undefined || !isPicture(x.type)) return undefined
  const size = elementsOf(result.type)
  const numbers = (name: string): readonly number[] => {
    const value = node.attrs[name]
    return Array.isArray(value) ? value.filter(n => typeof n === 'number') : []
  }
  const product = (xs: readonly number[]): number => xs.reduce((a, b) => a * b, 1)
  if (node.op.startsWith('reduce-')) {
    const axes = numbers('axes')
    const whole = axes.length === x.type.shape.length - 2 && axes.every(a => a >= 2)
    // Maps before it are part of the kernel, so any of its operands may be the picture.
    return whole ? { family: 'whole', picture: -1, terms: elementsOf(x.type) } : undefined
  }
  if (picture < 0) return undefined
  if (node.op === 'conv') {
    const kernel = weight?.type.shape.slice(2).map(extentOf) ?? []
    // Weights are repacked at build, or not at all.
    if (weight === undefined || !isConstant(weight, body, region)) return undefined
    const groups = Number(node.attrs['groups'] ?? 1)
    if (groups === 1) {
      const plain = kernel.every(k => k === 1) && numbers('strides').every(s => s === 1)
      const terms = size * extentOf(x.type.shape[1]) * product(kernel)
      return { family: plain && numbers('pads').every(p => p === 0) ? 'pointwise' : 'dense', picture, terms }
    }
    const own = [x, result].every(v => extentOf(v.type.shape[1]) === groups)
    return own ? { family: 'depthwise', picture, terms: size * product(kernel) } : undefined
  }
  if (node.op === 'max-pool' || node.op === 'avg-pool')
    return { family: 'pool', picture, terms: size * product(numbers('kernel')) }
  return undefined
}

const isConstant = (value: Value, body: Graph, region: Node): boolean => {
  if (value.node?.op === 'constant') return true
  const input = body.inputs.findIndex(i => i.value === value)
  return input >= 0 && region.operands[input]?.node?.op === 'constant'
}
