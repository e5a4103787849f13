/** @file The kernel that copies between two buffers whose elements are laid out or packed differently. */
import { type BufferDecl, type Index, type Kernel, type PlanBuffer, applyLayout, ix, scalar } from '@quern/core-ir'

const threads = 64

const declOf = (name: string, { dtype, layout }: PlanBuffer): BufferDecl => ({
  name,
  dtype,
  shape: layout.shape,
  ...(layout.strides === undefined ? {} : { strides: layout.strides }),
  ...(layout.offset === undefined ? {} : { offset: layout.offset }),
})

export const copyKernel = (name: string, from: PlanBuffer, to: PlanBuffer): Kernel => {
  const source = declOf('from', from)
  const target = declOf('to', to)
  const { shape } = to
  const strides = ix.rowMajorStrides(shape)
  const total = ix.product(shape)
  const at = ix.add(ix.mul(threads, ix.variable('$group')), ix.variable('$thread'))
  const logical = shape.map((extent, dim): Index => {
    const quotient = ix.floorDiv(at, strides[dim] ?? 1)
    return dim === 0 ? quotient : ix.mod(quotient, extent)
  })
  const symbols = new Set<string>()
  for (const decl of [source, target])
    for (const x of [...decl.shape, ...(decl.strides ?? []), decl.offset ?? ix.constant(0), ...shape])
      ix.visitAtoms(x, atom => {
        if (atom.kind === 'var') symbols.add(atom.name)
      })
  return {
    name,
    symbols: [...symbols].map(symbol => ({ name: symbol, min: 0, max: undefined })),
    params: [
      { ...source, access: 'read' },
      { ...target, access: 'write' },
    ],
    origins: [],
    body: [
      {
        kind: 'for',
        axis: '$group',
        extent: ix.ceilDiv(total, threads),
        tag: 'workgroup.x',
        body: [
          {
            kind: 'for',
            axis: '$thread',
            extent: ix.constant(threads),
            tag: 'thread.x',
            body: [
              {
                kind: 'if',
                condition: scalar.binary('lt', scalar.indexScalar(at), scalar.indexScalar(total)),
                then: [
                  {
                    kind: 'store',
                    buffer: 'to',
                    indices: applyLayout(to.layout, logical),
                    value: scalar.load('from', from.dtype, applyLayout(from.layout, logical)),
                  },
                ],
                else: [],
              },
            ],
          },
        ],
      },
    ],
  }
}
