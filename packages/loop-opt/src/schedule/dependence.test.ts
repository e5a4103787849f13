/** @file Iterations that are said not to meet never do, where subscripts are the digits of one number; and where they are told apart. */
import { type Index, ix } from '@quern/core-ir'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Access } from './access.ts'
import type { Domain } from './bounds.ts'
import { mayMeet } from './dependence.ts'
import type { For } from './tree.ts'

const domain: Domain = { axes: [], facts: [], symbols: new Map(), ranges: new Map() }
const [i, k] = [ix.variable('i'), ix.variable('k')]
const loopOf = (axis: string, extent: number, body: For['body'] = []): For => ({
  kind: 'for',
  axis,
  extent: ix.constant(extent),
  tag: 'serial',
  body,
})

interface Digits {
  /** Iterations of i, and of k inside it. */
  readonly outer: number
  readonly inner: number
  readonly indices: readonly Index[]
}

const isApart = ({ outer, inner, indices }: Digits): boolean => {
  const inside = loopOf('k', inner)
  const access: Access = { buffer: 'x', kind: 'write', indices, loops: [inside], facts: [] }
  return !mayMeet(access, access, loopOf('i', outer, [inside]), 'either', domain, undefined)
}

/** Whether two iterations of i do touch one element. */
const meets = ({ outer, inner, indices }: Digits): boolean => {
  const by = new Map<string, number>()
  for (let a = 0; a < outer; a++)
    for (let b = 0; b < inner; b++) {
      const at = new Map([
        ['i', a],
        ['k', b],
      ])
      const key = indices.map(x => ix.evaluateIndex(x, at)).join()
      const before = by.get(key)
      if (before !== undefined && before !== a) return true
      by.set(key, a)
    }
  return false
}

const small = fc.integer({ min: 1, max: 5 })
/** [c (i // d) + s k, i % d], with a third digit between them, one of them twice as large, or the order changed. */
const digits: fc.Arbitrary<Digits> = fc
  .record({
    outer: fc.integer({ min: 2, max: 16 }),
    inner: small,
    d: small,
    e: small,
    c: small,
    s: fc.constantFrom(0, 1, 1, 2),
    three: fc.boolean(),
    turned: fc.boolean(),
    scaled: fc.boolean(),
  })
  .map(({ outer, inner, d, e, c, s, three, turned, scaled }) => {
    const above = ix.floorDiv(i, three ? d * e : d)
    const upper = ix.add(ix.mul(above, c), ix.mul(k, s))
    const lower = ix.mod(i, d)
    const list = [upper, ...(three ? [ix.mod(ix.floorDiv(i, d), e)] : []), scaled ? ix.mul(lower, 2) : lower]
    return { outer, inner, indices: turned ? [...list].reverse() : list }
  })

describe('iterations', () => {
  test('that are said to stand apart never meet', () => {
    let [apart, met] = [0, 0]
    fc.assert(
      fc.property(digits, drawn => {
        if (meets(drawn)) met++
        if (!isApart(drawn)) return
        apart++
        expect(meets(drawn), drawn.indices.map(x => x.key).join(', ')).toBe(false)
      }),
      { numRuns: 1200 },
    )
    expect(apart).toBeGreaterThan(100)
    expect(met).toBeGreaterThan(100)
  })

  const quotient = ix.floorDiv(i, 3)
  test.each<readonly [string, readonly Index[], number, boolean]>([
    ['both digits', [quotient, ix.mod(i, 3)], 1, true],
    ['the upper digit alone', [quotient], 1, false],
    ['a step as long as what is added', [ix.add(ix.mul(quotient, 2), k), ix.mod(i, 3)], 2, true],
    ['a step shorter by one', [ix.add(ix.mul(quotient, 2), k), ix.mod(i, 3)], 3, false],
    ['blocks', [ix.add(ix.mul(i, 4), k)], 4, true],
    ['blocks that share an edge', [ix.add(ix.mul(i, 4), k)], 5, false],
  ])('%s', (_, indices, inner, apart) => {
    const drawn = { outer: 9, inner, indices }
    expect(isApart(drawn)).toBe(apart)
    expect(meets(drawn)).toBe(!apart)
  })
})
