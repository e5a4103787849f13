/** @file Where expansions put their statements: `let`s shared by value, and rare cases behind an `if`. */
import { load, ref, type Scalar } from '../scalar.ts'
import type { Stmt } from '../../loop/kernel.ts'

export interface Emitter {
  /** Names a value; a value that has a name keeps it, and leaves stay as they are. */
  let(hint: string, value: Scalar): Scalar
  /**
   * `usual`, except where `condition` holds: there what `unusual` computes. The usual values are always computed, so this is
   * for cases that hardly ever occur; a vector of lanes without one costs a test. Prints as registers and an `if`.
   */
  rare(condition: Scalar, usual: Readonly<Record<string, Scalar>>, unusual: (b: Emitter) => readonly Scalar[]): Scalar[]
}

/** The expansion of an op: its operands are leaves (names or literals) of one dtype, its result is of that dtype too. */
export type Expansion = (b: Emitter, ...operands: readonly Scalar[]) => Scalar

/** A leaf is read any number of times for nothing. */
export const isLeaf = (x: Scalar): boolean => x.kind === 'ref' || x.kind === 'const'

/** Writes to a list of statements. `named` maps keys of values to their names; a nested emitter sees those of the outer one. */
export class StatementEmitter implements Emitter {
  private readonly out: Stmt[]
  private readonly fresh: (hint: string) => string
  private readonly named: Map<string, Scalar>
  constructor(out: Stmt[], fresh: (hint: string) => string, named: Map<string, Scalar> = new Map()) {
    this.out = out
    this.fresh = fresh
    this.named = named
  }

  let(hint: string, value: Scalar): Scalar {
    if (isLeaf(value)) return value
    const known = this.named.get(value.key)
    if (known !== undefined) return known
    const name = this.fresh(hint)
    this.out.push({ kind: 'let', name, value })
    const made = ref(name, value.dtype)
    this.named.set(value.key, made)
    return made
  }

  rare(
    condition: Scalar,
    usual: Readonly<Record<string, Scalar>>,
    unusual: (b: Emitter) => readonly Scalar[],
  ): Scalar[] {
    const key = `rare(${condition.key}; ${Object.values(usual)
      .map(v => v.key)
      .join('; ')}; ${Object.keys(usual).join(' ')})`
    const results = Object.entries(usual).map(([hint, value], i) => ({ hint, value, key: `${key}#${i}` }))
    const known = results.map(r => this.named.get(r.key))
    if (known.every(k => k !== undefined)) return known
    const registers = results.map(r => ({ ...r, name: this.fresh(`${r.hint}_any`) }))
    for (const { name, value } of registers) {
      this.out.push({ kind: 'alloc', space: 'register', buffer: { name, dtype: value.dtype, shape: [] } })
      this.out.push({ kind: 'store', buffer: name, indices: [], value })
    }
    const then: Stmt[] = []
    const values = unusual(new StatementEmitter(then, this.fresh, new Map(this.named)))
    registers.forEach(({ name }, i) => {
      const value = values[i]
      if (value === undefined) throw new RangeError('a rare case must give as many values as the usual one')
      then.push({ kind: 'store', buffer: name, indices: [], value })
    })
    this.out.push({ kind: 'if', condition, then, else: [] })
    return registers.map(({ name, hint, value, key: result }) => {
      const bound = this.fresh(hint)
      this.out.push({ kind: 'let', name: bound, value: load(name, value.dtype, []) })
      const made = ref(bound, value.dtype)
      this.named.set(result, made)
      return made
    })
  }
}
