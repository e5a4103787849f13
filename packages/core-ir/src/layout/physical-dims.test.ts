import fc from 'fast-check'
import { expect, test } from 'vitest'
import { constant } from '../index/index-expr.ts'
import { packConstant, unpackLayout } from './pack.ts'
import {
  type PhysicalDim,
  isPlain,
  layoutOfDims,
  parsePhysicalDims,
  physicalDimsError,
  printPhysicalDims,
} from './physical-dims.ts'

/** A rearrangement of so many dims: some cut into blocks, all of them in a drawn order. */
const rearranged = (rank: number): fc.Arbitrary<readonly PhysicalDim[]> =>
  fc
    .array(fc.integer({ min: 0, max: 5 }), { minLength: rank, maxLength: rank })
    .map(cuts =>
      cuts.flatMap((by, dim): PhysicalDim[] =>
        by < 2
          ? [{ dim }]
          : [
              { dim, part: 'block', by },
              { dim, part: 'inside', by },
            ],
      ),
    )
    .chain(dims => fc.shuffledSubarray(dims, { minLength: dims.length, maxLength: dims.length }))

test('parse undoes print, and every rearrangement holds each element once, in its place or in padding', () => {
  fc.assert(
    fc.property(
      fc
        .array(fc.integer({ min: 1, max: 6 }), { minLength: 1, maxLength: 4 })
        .chain(shape => fc.tuple(fc.constant(shape), rearranged(shape.length))),
      ([shape, dims]) => {
        expect(parsePhysicalDims(printPhysicalDims(dims))).toEqual(dims)
        expect(physicalDimsError(dims, shape.length)).toBeUndefined()
        const count = shape.reduce((a, b) => a * b, 1)
        const data = Uint8Array.from({ length: count }, (_, i) => (i % 250) + 1)
        const layout = layoutOfDims(dims, shape.map(constant))
        const packed = packConstant(data, 'u8', shape, layout)
        expect(packed.filter(x => x !== 0)).toHaveLength(count)
        expect([...unpackLayout(packed, 'u8', shape, layout)]).toEqual([...data])
        if (isPlain(dims)) expect([...packed]).toEqual([...data])
      },
    ),
  )
})

test('channels last, and channels in blocks of eight', () => {
  expect(printPhysicalDims([{ dim: 0 }, { dim: 2 }, { dim: 3 }, { dim: 1 }])).toBe('d0, d2, d3, d1')
  expect(parsePhysicalDims('d0, d1 // 8, d2, d1 % 8')).toEqual([
    { dim: 0 },
    { dim: 1, part: 'block', by: 8 },
    { dim: 2 },
    { dim: 1, part: 'inside', by: 8 },
  ])
})

test.each([
  ['d0, d0', 'dim 0 must be there whole'],
  ['d0', 'dim 1 must be there whole'],
  ['d0, d1 // 4', 'dim 1 must be there whole'],
  ['d0, d1 // 4, d1 % 2', 'dim 1 must be there whole'],
  ['d0, d2', 'there is no dim 2'],
])('%s is no rearrangement of two dims', (text, why) => {
  expect(physicalDimsError(parsePhysicalDims(text), 2)).toContain(why)
})

test.each(['d', 'channels last', 'd0, ', 'd0 // 0', 'd1 + 1', 'd0; d1'])('%s is no layout', text => {
  expect(() => parsePhysicalDims(text)).toThrow(expect.objectContaining({ code: 'layout/not-dims' }))
})
