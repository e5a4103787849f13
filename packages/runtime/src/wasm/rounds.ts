/** @file The rounds of a run whose rows are independent: as many rows at a time as the cache holds. */
import type { HostArray, Port, WasmEntry } from '@quern/artifact'
import { evaluate } from '../expr.ts'

type Symbols = Readonly<Record<string, number>>

export interface Round {
  /** With the rows of this round in the place of all. */
  readonly symbols: Symbols
  /** The number of all rows, by its symbol; empty where a run is one round. */
  readonly whole: Symbols
  /** Which rows, of how many. A run in one round counts as one row. */
  readonly from: number
  readonly count: number
  readonly of: number
}

/** In their order; one round of everything where the plan is not cut, or where there are few rows. */
export const roundsOf = ({ stream }: WasmEntry, symbols: Symbols): readonly Round[] => {
  const all = (stream && symbols[stream.symbol]) ?? 0
  const rows = stream === undefined ? all : evaluate(stream.rows, symbols)
  if (stream === undefined || all <= rows) return [{ symbols, whole: {}, from: 0, count: 1, of: 1 }]
  const whole = { [stream.symbol]: all }
  return Array.from({ length: Math.ceil(all / rows) }, (_, i) => {
    const from = i * rows
    const count = Math.min(rows, all - from)
    return { symbols: { ...symbols, [stream.symbol]: count }, whole, from, count, of: all }
  })
}

/** Whether a port's first dim is the one that is cut. */
export const hasRows = ({ shape }: Port, { stream }: WasmEntry): boolean =>
  stream !== undefined && shape[0] === stream.symbol

/** The elements of a round, of an array with all rows. */
export const partOf = (data: HostArray, { from, count, of }: Round): HostArray => {
  const row = data.length / of
  return data.subarray(from * row, (from + count) * row)
}
