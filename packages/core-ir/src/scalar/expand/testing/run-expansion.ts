/** @file Runs what an expansion emits, for tests: statements become closures over one list of slots. */
import type { DType } from '@quern/artifact'
import type { Stmt } from '../../../loop/kernel.ts'
import { type ScalarResolver, compileScalar } from '../../evaluate.ts'
import { type Scalar, ref } from '../../scalar.ts'
import type { ScalarValue } from '../../value.ts'
import { type Expansion, StatementEmitter } from '../emitter.ts'

export interface RunnableExpansion {
  readonly statements: readonly Stmt[]
  readonly result: Scalar
  (...operands: readonly ScalarValue[]): ScalarValue
}

export const runnable = (expansion: Expansion, dtype: DType, arity: number): RunnableExpansion => {
  const statements: Stmt[] = []
  const count = new Map<string, number>()
  const fresh = (hint: string): string => {
    const n = (count.get(hint) ?? 0) + 1
    count.set(hint, n)
    return `${hint}${n}`
  }
  const operands = Array.from({ length: arity }, (_, i) => ref(`operand${i}`, dtype))
  const result = expansion(new StatementEmitter(statements, fresh), ...operands)

  const cells = new Map<string, { value: ScalarValue }>()
  const cell = (name: string): { value: ScalarValue } => {
    const made = cells.get(name) ?? { value: 0 }
    cells.set(name, made)
    return made
  }
  const resolver: ScalarResolver = {
    variable: name => {
      throw new ReferenceError(`an expansion has no index variable ${name}`)
    },
    ref: name => {
      const c = cell(name)
      return () => c.value
    },
    load: buffer => {
      const c = cell(buffer)
      return () => c.value
    },
  }
  const block = (stmts: readonly Stmt[]): (() => void) => {
    const steps = stmts.flatMap(stmt => step(stmt))
    return () => {
      for (const s of steps) s()
    }
  }
  const step = (stmt: Stmt): (() => void)[] => {
    switch (stmt.kind) {
      case 'alloc':
        return []
      case 'let':
      case 'store': {
        const value = compileScalar(stmt.value, resolver),
          c = cell(stmt.kind === 'let' ? stmt.name : stmt.buffer)
        return [() => (c.value = value())]
      }
      case 'if': {
        const condition = compileScalar(stmt.condition, resolver),
          then = block(stmt.then)
        return [
          () => {
            if (condition() !== 0) then()
          },
        ]
      }
      default:
        throw new TypeError(`an expansion holds no ${stmt.kind}`)
    }
  }
  const run = block(statements),
    value = compileScalar(result, resolver),
    inputs = operands.map((_, i) => cell(`operand${i}`))
  return Object.assign(
    (...values: readonly ScalarValue[]): ScalarValue => {
      values.forEach((v, i) => {
        const c = inputs[i]
        if (c !== undefined) c.value = v
      })
      run()
      return value()
    },
    { statements, result },
  )
}
