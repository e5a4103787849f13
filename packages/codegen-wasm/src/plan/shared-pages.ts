/** @file The maximum of a shared memory, which must be stated when it is made: from the bounds of the dims. */
import type { Expr, WasmEntry } from '@quern/artifact'
import type { LoweredProgram } from '@quern/core-ir'

const pageBytes = 65536
/** Where a dim has no bound: 1 GiB, which browsers on small machines still reserve. */
const unboundedPages = 16384

export const sharedPages = (
  program: LoweredProgram,
  arenaAt: number,
  entries: Readonly<Record<string, WasmEntry>>,
): number => {
  const most = new Map<string, number>()
  for (const plan of program.plans)
    for (const s of plan.symbols) most.set(s.name, Math.max(most.get(s.name) ?? 0, s.max ?? Infinity))
  const bytes = arenaAt + Math.max(0, ...Object.values(entries).map(e => atMost(e.arenaBytes, most)))
  if (!Number.isFinite(bytes)) return unboundedPages
  return Math.min(65536, Math.max(1, Math.ceil(bytes / pageBytes)))
}

/** An upper bound of a size: sizes grow with every symbol, save under a remainder, which is below its divisor. */
const atMost = (e: Expr, most: ReadonlyMap<string, number>): number => {
  if (typeof e === 'number') return e
  if (typeof e === 'string') return most.get(e) ?? Infinity
  const [op, ...rest] = e
  const [first = 0, second = 1, ...others] = rest.map(x => atMost(x, most))
  switch (op) {
    case '+':
      return others.reduce((a, b) => a + b, first + (rest.length > 1 ? second : 0))
    case '*':
      return others.reduce((a, b) => a * b, first * second)
    case '/':
      return Math.floor(first / (typeof rest[1] === 'number' ? rest[1] : 1))
    case '%':
      return Math.min(first, second)
    case 'min':
      return Math.min(first, second, ...others)
    case 'max':
      return Math.max(first, second, ...others)
  }
}
