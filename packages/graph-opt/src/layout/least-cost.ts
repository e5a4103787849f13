/**
 * @file The cheapest assignment of labels to variables where each cost depends on a few of them: variables are eliminated one
 * by one, so the answer is exact. Networks are nearly chains, and what a variable is entangled with stays small.
 */

export interface Cost {
  /** Numbers of the variables that it depends on, each once. */
  readonly of: readonly number[]
  /** Given their labels in that order. `Infinity` is what cannot be. */
  readonly at: (labels: readonly number[]) => number
}

/** Assignments of one table; a variable that is entangled with more keeps its first label. */
const largestTable = 4096

interface Table {
  readonly of: readonly number[]
  readonly values: Float64Array
}

interface Eliminated {
  readonly variable: number
  readonly neighbours: readonly number[]
  readonly best: Uint8Array
}

/** @returns the label of each variable; of equally cheap ones the lower */
export const leastCost = (variables: number, labels: number, costs: readonly Cost[]): readonly number[] => {
  let tables = costs.map(c => tabulated(c, labels))
  const left = new Set(Array.from({ length: variables }, (_, v) => v))
  const steps: Eliminated[] = []
  while (left.size > 0) {
    const { variable, neighbours } = leastEntangled(left, tables)
    left.delete(variable)
    const mine = tables.filter(t => t.of.includes(variable))
    tables = tables.filter(t => !t.of.includes(variable))
    const size = labels ** neighbours.length
    if (size > largestTable) {
      tables.push(...mine.map(t => withFirst(t, variable, labels)))
      steps.push({ variable, neighbours: [], best: Uint8Array.of(0) })
      continue
    }
    const values = new Float64Array(size),
      best = new Uint8Array(size)
    for (let i = 0; i < size; i++) {
      const known = new Map(neighbours.map((v, d) => [v, Math.floor(i / labels ** d) % labels]))
      values[i] = Infinity
      for (let label = 0; label < labels; label++) {
        known.set(variable, label)
        const cost = mine.reduce((sum, t) => sum + valueAt(t, known, labels), 0)
        if (cost < (values[i] ?? 0)) {
          values[i] = cost
          best[i] = label
        }
      }
    }
    tables.push({ of: neighbours, values })
    steps.push({ variable, neighbours, best })
  }
  const chosen = new Map<number, number>()
  for (const { variable, neighbours, best } of steps.reverse())
    chosen.set(variable, best[positionOf(neighbours, chosen, labels)] ?? 0)
  return Array.from({ length: variables }, (_, v) => chosen.get(v) ?? 0)
}

const tabulated = ({ of, at }: Cost, labels: number): Table => ({
  of,
  values: Float64Array.from({ length: labels ** of.length }, (_, i) =>
    at(of.map((_v, d) => Math.floor(i / labels ** d) % labels)),
  ),
})

/** What is left of a table where the variable has its first label. */
const withFirst = (t: Table, variable: number, labels: number): Table => {
  const of = t.of.filter(v => v !== variable)
  return tabulated(
    { of, at: at => valueAt(t, new Map([[variable, 0], ...of.map((v, i) => [v, at[i] ?? 0] as const)]), labels) },
    labels,
  )
}

const positionOf = (of: readonly number[], known: ReadonlyMap<number, number>, labels: number): number =>
  of.reduce((sum, v, d) => sum + (known.get(v) ?? 0) * labels ** d, 0)

const valueAt = (t: Table, known: ReadonlyMap<number, number>, labels: number): number =>
  t.values[positionOf(t.of, known, labels)] ?? 0

const leastEntangled = (
  left: ReadonlySet<number>,
  tables: readonly Table[],
): { readonly variable: number; readonly neighbours: readonly number[] } => {
  const around = new Map<number, Set<number>>([...left].map(v => [v, new Set()]))
  for (const { of } of tables) for (const v of of) for (const w of of) if (v !== w) around.get(v)?.add(w)
  let found: { variable: number; neighbours: readonly number[] } | undefined
  for (const [variable, others] of around)
    if (found === undefined || others.size < found.neighbours.length) found = { variable, neighbours: [...others] }
  if (found === undefined) throw new Error('there is a variable left')
  return found
}
