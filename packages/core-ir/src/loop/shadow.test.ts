/** @file Shadow memory reports the first race of random accesses, and no other, as the definition of a race says. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Race, Shadow } from './shadow.ts'

interface Access {
  readonly cell: number
  readonly writes: boolean
  readonly agent: number
}
interface Step extends Access {
  readonly workgroup: number
  readonly epoch: number
}

const cells = 2
const access = fc.record({
  cell: fc.nat(cells - 1),
  writes: fc.boolean(),
  agent: fc.integer({ min: 1, max: 3 }),
})
/** Workgroups run one after another, each through epochs of its own. */
const runs = fc
  .array(fc.array(fc.array(access, { maxLength: 3 }), { minLength: 1, maxLength: 3 }), { minLength: 1, maxLength: 3 })
  .map(groups => {
    let epoch = 0
    return groups.flatMap((epochs, g) =>
      epochs.flatMap(accesses => {
        epoch++
        return accesses.map((a): Step => ({ ...a, workgroup: g + 1, epoch }))
      }),
    )
  })

const races = (a: Step, b: Step): boolean =>
  a.cell === b.cell &&
  (a.writes || b.writes) &&
  (a.workgroup !== b.workgroup || (a.epoch === b.epoch && a.agent !== b.agent))

/** The access that races first, and with what. */
const byDefinition = (steps: readonly Step[]): { at: number; kinds: readonly string[] } | undefined => {
  for (const [at, now] of steps.entries()) {
    const kinds = steps
      .slice(0, at)
      .filter(earlier => races(earlier, now))
      .map(earlier => `${now.writes ? 'write' : 'read'} after ${earlier.writes ? 'write' : 'read'}`)
    if (kinds.length > 0) return { at, kinds }
  }
  return undefined
}

class Raced extends Error {
  readonly race: Race
  constructor(race: Race) {
    super(race.kind)
    this.race = race
  }
}

const byShadow = (steps: readonly Step[]): { at: number; kind: string } | undefined => {
  const observer = {
    agent: 1,
    epoch: 0,
    workgroup: 1,
    statement: 0,
    raced: (_: string, race: Race): never => {
      throw new Raced(race)
    },
  }
  const shadow = new Shadow(cells, observer)
  for (const [at, { cell, writes, agent, epoch, workgroup }] of steps.entries()) {
    Object.assign(observer, { agent, epoch, workgroup, statement: at })
    try {
      if (writes) shadow.write(cell, 'x', [cell])
      else shadow.read(cell, 'x', [cell])
    } catch (error) {
      if (error instanceof Raced) return { at, kind: error.race.kind }
      throw error
    }
  }
  return undefined
}

describe('shadow memory', () => {
  test('reports what the definition says', () => {
    const seen = new Set<string>()
    fc.assert(
      fc.property(runs, steps => {
        const expected = byDefinition(steps)
        const found = byShadow(steps)
        expect(found?.at).toBe(expected?.at)
        if (expected !== undefined) expect(expected.kinds).toContain(found?.kind)
        const across = steps.slice(0, found?.at).some(s => s.workgroup !== steps[found?.at ?? 0]?.workgroup)
        seen.add(found === undefined ? 'none' : `${found.kind}${across ? ', across workgroups' : ''}`)
      }),
      { numRuns: 3000 },
    )
    expect(seen.size).toBe(7)
  })

  const step = (workgroup: number, epoch: number, agent: number, writes: boolean): Step => ({
    cell: 0,
    workgroup,
    epoch,
    agent,
    writes,
  })
  test.each([
    ['read after write', true, false],
    ['write after read', false, true],
    ['write after write', true, true],
  ] as const)('%s', (kind, first, second) => {
    // Nothing orders workgroups: neither barriers nor that one invocation of each has the same number.
    expect(byShadow([step(1, 1, 1, first), step(2, 2, 1, second)])?.kind).toBe(kind)
    expect(byShadow([step(1, 1, 1, first), step(1, 1, 2, second)])?.kind).toBe(kind)
    expect(byShadow([step(1, 1, 1, first), step(1, 2, 2, second)])).toBeUndefined()
    expect(byShadow([step(1, 1, 1, first), step(1, 1, 1, second)])).toBeUndefined()
  })
})
