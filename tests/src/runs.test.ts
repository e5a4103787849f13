/** @file No value of a switch makes tests of random cases draw none. */
import { afterEach, describe, expect, it, vi } from 'vitest'
import { runs } from './runs.ts'

afterEach(() => vi.unstubAllEnvs())
const drawn = (cases: string | undefined, seed?: string) => {
  vi.stubEnv('QUERN_RUNS', cases)
  vi.stubEnv('QUERN_SEED', seed)
  return runs(7)
}

describe('runs', () => {
  it.each([undefined, '', ' '])('draws the usual cases where QUERN_RUNS is %j', cases =>
    expect(drawn(cases, cases)).toEqual({ numRuns: 7, seed: 20 }),
  )
  it('draws as many as it is told', () => {
    expect(drawn('200', '0')).toEqual({ numRuns: 200, seed: 0 })
    expect(drawn('200').numRuns).toBe(200)
    expect(drawn(undefined, '9')).toEqual({ numRuns: 7, seed: 9 })
  })
  it.each(['0', '-1', '1.5', 'many', '1e99', 'NaN'])('refuses QUERN_RUNS=%s', cases =>
    expect(() => drawn(cases)).toThrow(`QUERN_RUNS is "${cases}", and takes a whole number of at least 1`),
  )
  it.each(['-1', 'now'])('refuses QUERN_SEED=%s', seed => expect(() => drawn('3', seed)).toThrow('QUERN_SEED is'))
})
