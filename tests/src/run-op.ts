/** @file Runs one op on a target, over numbers and over symbols, and holds it against its reference. */
import { type DeviceKind, isQuernError } from '@quern/artifact'
import { type Graph, type HostTensor, interpretGraphSync } from '@quern/core-ir'
import { expect } from 'vitest'
import type { Case, Draw } from '../../packages/core-ir/src/ops/testing/draw.ts'
import {
  factorsOf,
  isKnownOperand,
  oneNode,
  randomTensor,
  sixteenths,
  symbolOf,
} from '../../packages/core-ir/src/ops/testing/support.ts'
import { type Tensors, differenceOf, runGraph } from './run-graph.ts'

/** What is known at build is no input. */
const inputsOf = (op: string, operands: Case['operands']): Tensors =>
  Object.fromEntries(
    operands.flatMap((t, i) => (t === undefined || isKnownOperand(op, i) ? [] : [[`in${i}`, t] as const])),
  )

const hold = (what: string, found: Tensors | undefined, wanted: Tensors): void => {
  for (const [name, tensor] of Object.entries(wanted)) {
    const wrong = differenceOf(name, found?.[name], tensor)
    if (wrong !== undefined) expect.fail(`${what}: ${wrong}`)
  }
}

const describeCase = (op: string, { operands, attrs = {} }: Case): string => {
  const shown = (t: HostTensor): string =>
    `${t.dtype}[${t.shape.join()}]${t.data.length <= 12 ? ` {${[...t.data].join(' ')}}` : ''}`
  const text = JSON.stringify(attrs, (_, x: unknown) => (typeof x === 'bigint' ? `${x}` : x))
  return `${op} ${text} of ${operands.map(t => (t === undefined ? 'none' : shown(t))).join(', ')}`
}

/** Over symbols for as many extents as the op's constraints let through; undefined where that is none. */
const symbolicGraph = (
  d: Draw,
  op: string,
  { operands, attrs = {} }: Case,
): { readonly graph: Graph; readonly extents: readonly number[] } | undefined => {
  const all = [...new Set(operands.flatMap(t => t?.shape ?? []))]
  let extents = all
  for (let tries = 0; extents.length > 0 && tries < 4; tries++) {
    try {
      return { graph: oneNode(op, operands, attrs, extents), extents }
    } catch (error) {
      if (!isQuernError(error)) throw error
      extents = all.filter(() => d.flag())
    }
  }
  return undefined
}

/** Other operands of the same kind, where each extent that is a symbol has another size. */
const resized = (d: Draw, op: string, operands: Case['operands'], extents: readonly number[]): Tensors => {
  const sizes = new Map<number, number>(extents.map(e => [e, d.of(1, 2, 3, 4, 7, 16, 17, 33, 0)]))
  const given = operands.flatMap((t, i) => {
    if (t === undefined || isKnownOperand(op, i)) return []
    const shape = t.shape.map(e => sizes.get(e) ?? e)
    // Halves that sum up exactly, since targets may add them in any order.
    const fill = t.dtype === 'f16' ? sixteenths : randomTensor
    const filled = fill(t.dtype, shape, d.int(0, 0xffff))
    return [[`in${i}`, op === 'reduce-prod' ? factorsOf(filled) : filled] as const]
  })
  return Object.fromEntries(given)
}

/** What a graph means for inputs, or undefined where it refuses their sizes. */
const meaning = (graph: Graph, inputs: Tensors): Tensors | undefined => {
  try {
    return interpretGraphSync(graph, inputs)
  } catch (error) {
    if (isQuernError(error)) return undefined
    throw error
  }
}

const mostElements = 20_000
const isSmall = (tensors: Tensors): boolean =>
  Object.values(tensors).every(t => t.shape.reduce((a, b) => a * b, 1) <= mostElements)

export const expectReference = async (device: DeviceKind, op: string, drawn: Case, d: Draw): Promise<void> => {
  const { expected, operands, attrs = {} } = drawn
  const what = describeCase(op, drawn)
  const inputs = inputsOf(op, operands)
  const graph = oneNode(op, operands, attrs)
  const wanted = d.special
    ? interpretGraphSync(graph, inputs)
    : Object.fromEntries((Array.isArray(expected) ? expected : [expected]).map((t, i) => [`out${i}`, t as HostTensor]))
  const [found] = await runGraph(device, graph, [inputs])
  hold(what, found, wanted)

  const symbolic = symbolicGraph(d, op, drawn)
  if (symbolic === undefined) return
  const { graph: over, extents } = symbolic
  const sizes = [inputs, ...[0, 1, 2].map(() => resized(d, op, operands, extents)).filter(isSmall)]
  const pairs = sizes.flatMap(given => {
    const result = meaning(over, given)
    return result !== undefined && isSmall(result) ? [{ given, result }] : []
  })
  const outputs = await runGraph(
    device,
    over,
    pairs.map(p => p.given),
  )
  pairs.forEach(({ given, result }, i) => {
    const shapes = Object.values(given).map(t => `${t.dtype}[${t.shape.join()}]`)
    const names = extents.map(symbolOf).join(', ')
    hold(`${what}, over symbols ${names}, at ${shapes.join(', ')}, run ${i}`, outputs[i], result)
  })
}
