/** @file What the scatters share: how an update meets what is there, and what gradients follow. */
import type { GraphBuilder } from '../graph/builder.ts'
import type { TensorType, Value } from '../graph/graph.ts'
import { type Index, isConst } from '../index/index-expr.ts'
import type { AccumulateOp } from '../loop/kernel.ts'
import type { LoopBuilder } from '../loop/builder.ts'
import { type Scalar, binary, indexScalar, literal } from '../scalar/scalar.ts'
import { arithmetic, filled } from './calculus.ts'
import type { AttrSpec, Constraint, LoopBuffer } from './define-op.ts'

export const scatterReductions = ['none', 'add', 'mul', 'min', 'max'] as const
type Combining = 'add' | 'mul' | 'min' | 'max'
const reducerOf = { add: 'sum', mul: 'prod', min: 'min', max: 'max' } as const satisfies Record<Combining, AccumulateOp>
const isCombining = (r: string): r is Combining => r in reducerOf

export const scatterAttrs = {
  axis: { kind: 'int', default: 0, doc: 'The axis that is indexed.' },
  reduction: {
    kind: 'string',
    default: 'none',
    oneOf: scatterReductions,
    doc: 'How an update meets what is there; none overwrites it, the last one in row-major order wins.',
  },
} as const satisfies Record<string, AttrSpec>

export const reductionOfNumbers: Constraint<{ readonly x: TensorType }, { readonly reduction: string }> = {
  id: 'reduction-of-numbers',
  says: 'reduction is none, or x is a number',
  holds: ({ x }, { reduction }) => reduction === 'none' || x.dtype !== 'bool',
}

/** Puts one update where it belongs; does nothing where the axis is empty. */
export const meet = (
  b: LoopBuilder,
  out: LoopBuffer,
  at: readonly Index[],
  axis: number,
  update: Scalar,
  reduction: string,
): void => {
  const put = (): void => {
    if (isCombining(reduction)) b.accumulate(out, at, reducerOf[reduction], update)
    else b.store(out, at, update)
  }
  const extent = out.type.shape[axis]
  if (extent === undefined || (isConst(extent) && extent.value > 0)) put()
  else b.if(binary('gt', indexScalar(extent), literal(0, 'i32')), put)
}

/** `again` scatters into another tensor by other updates with another reduction; `take` gathers at the same places. */
export const scatterGradient = (
  b: GraphBuilder,
  g: Value,
  { x, updates, y }: { readonly x: Value; readonly updates: Value; readonly y: Value },
  reduction: string,
  again: (x: Value, updates: Value, reduction: string) => Value,
  take: (x: Value) => Value,
): { x: Value; updates: Value } => {
  const { mul, div, eq, select } = arithmetic(b)
  switch (reduction) {
    case 'add':
      return { x: g, updates: take(g) }
    case 'mul':
      return { x: again(g, updates, 'mul'), updates: div(take(mul(g, y)), updates) }
    case 'min':
    case 'max': {
      // Equal winners share the gradient.
      const kept = select(eq(x, y), filled(b, 1, x.type), 0)
      const won = select(eq(updates, take(y)), filled(b, 1, updates.type), 0)
      const share = div(g, again(kept, won, 'add'))
      return { x: mul(kept, share), updates: mul(won, take(share)) }
    }
    default:
      return { x: again(g, filled(b, 0, updates.type), 'none'), updates: take(g) }
  }
}
