/** @file Holds operands against named constraints: those of an op, and those that a layer states in its own words. */
import { QuernError } from '@quern/artifact'
import type { Span } from '../diagnostics/span.ts'
import { demandsOf } from '../index/demand.ts'
import type { Index } from '../index/index-expr.ts'
import type { Constraint, InferContext } from '../ops/define-op.ts'
import type { TensorType } from './graph.ts'
import { printTensorType } from './print-type.ts'
import type { ShapeSource } from './shape-elements.ts'
import { meetDemands, symbolRanges } from './symbol-ranges.ts'

/** What constraint errors say of an operand. */
export interface OperandInfo {
  readonly type: TensorType
  readonly name?: string | undefined
  /** What made it, where its elements may be asked for. */
  readonly index?: number
  readonly node?: ShapeSource['node']
}

/** Whose constraints they are: an op, or a layer made of ops. */
export interface Constrained<O, A> {
  readonly name: string
  /** `'x'`, `'bias?'`, `'...parts'`. */
  readonly operands: readonly string[]
  readonly constraints: readonly Constraint<O, A>[]
}

/** @throws `name/id` of the first constraint that does not hold, at the user's line, with the operands by their roles */
export const checkConstraints = <O, A>(
  { name, operands: roles, constraints }: Constrained<O, A>,
  bound: O,
  attrs: A,
  operands: readonly (OperandInfo | undefined)[],
  context: InferContext,
  origin: Span | undefined,
): void => {
  for (const constraint of constraints) {
    if (constraint.holds(bound, attrs, context) && meets(constraint.requires?.(bound, attrs) ?? [], context)) continue
    const found = constraint.found?.(bound, attrs)
    throw new QuernError(
      `${name}/${constraint.id}`,
      `${name} needs ${constraint.says}${found === undefined ? '' : `, and ${found}`}`,
      {
        op: name,
        constraint: constraint.id,
        origin,
        operands: operands.map(
          (v, i) =>
            v && {
              role: roleOf(roles, i),
              type: printTensorType(v.type),
              name: v.name ?? v.node?.origin?.name,
              origin: v.node?.origin,
            },
        ),
      },
    )
  }
}

/** The name of an operand by its position; those of a rest share one. */
export const roleOf = (operands: readonly string[], i: number): string | undefined =>
  (operands[i] ?? operands.find(o => o.startsWith('...')))?.replace(/^\.\.\.|\?$/g, '')

/** Whether none of these is negative, once symbols have the bounds that this needs. */
const meets = (wanted: readonly Index[], context: InferContext): boolean =>
  wanted.every(x => {
    const demands = demandsOf(x, symbolRanges(context.symbols))
    const symbols = demands && meetDemands(demands, context.symbols)
    symbols?.forEach(s => context.narrow(s))
    return symbols !== undefined
  })
