/** @file What one or more kernels will compute together. */
import type { Graph, TensorType } from '../graph/graph.ts'
import { parsePhysicalDims, physicalDimsError } from '../layout/physical-dims.ts'
import { defineOp } from './define-op.ts'
import { bodyMatches } from './bodies.ts'
import { regionKinds } from './region-kinds.ts'

export const region = defineOp({
  name: 'region',
  doc: 'A nested graph that becomes one or more kernels. Not differentiable: regions are marked after gradients are taken.',
  class: 'region',
  operands: ['...inputs'],
  attrs: {
    body: { kind: 'graph', doc: 'What is computed; its inputs are the operands in order.' },
    kind: { kind: 'string', default: 'elementwise', oneOf: regionKinds, doc: 'The family of schedules.' },
    layouts: {
      kind: 'strings',
      default: [],
      doc: 'Where the elements of each result lie, by physical dims: `d0, d2, d3, d1` is channels last, an empty text row-major. Nothing for all results: all are row-major.',
    },
  },
  constraints: [
    bodyMatches('body', ({ inputs }: { readonly inputs: readonly TensorType[] }) => inputs),
    {
      id: 'layouts-fit',
      says: 'layouts is empty, or has a rearrangement of the dims of each result',
      holds: (_, attrs) => layoutMistake(attrs) === undefined,
      found: (_, attrs) => layoutMistake(attrs) ?? '',
    },
  ],
  infer: (_, { body }) => body.outputs.map(o => o.value.type),
  gradient: 'none',
  example: `graph example(%x: f32[2,3]) {
  %0 = region(%x, body=graph body(%a: f32[2,3]) {
    %0 = sin(%a) : f32[2,3]
    return y = %0
  }) : f32[2,3]
  return y = %0
}`,
})

const layoutMistake = ({
  body,
  layouts,
}: {
  readonly body: Graph
  readonly layouts: readonly string[]
}): string | undefined => {
  if (layouts.length === 0) return undefined
  if (layouts.length !== body.outputs.length) return `there are ${layouts.length} for ${body.outputs.length} results`
  for (const [i, { value }] of body.outputs.entries()) {
    const text = layouts[i] ?? ''
    const mistake = text === '' ? undefined : physicalDimsError(parsePhysicalDims(text), value.type.shape.length)
    if (mistake !== undefined) return `${text}: ${mistake}`
  }
  return undefined
}
