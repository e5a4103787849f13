/** @file Index expressions as i32 arithmetic. */
import { type Atom, type Index, ix, rangeOf, simplify } from '@quern/core-ir'
import { type Context, type LaneScope, type Value, bind, dependsOn, splat } from './context.ts'
import { scalarCode } from './scalar-code.ts'
import type { Lanes } from '../spelling/types.ts'

/** The index at hand: fixed axes replaced by their values, and what ranges allow removed. */
export const settle = (x: Index, context: Context): Index => {
  const fixed =
    context.fixed.size === 0
      ? x
      : ix.mapAtoms(x, atom => {
          const value = atom.kind === 'var' ? context.fixed.get(atom.name) : undefined
          return value === undefined ? undefined : ix.constant(value)
        })
  return simplify(fixed, context.ranges)
}

/** The context of one lane of a vector axis. */
export const laneOf = (context: Context, axis: string, lane: number): Context => ({
  ...context,
  vector: undefined,
  mask: undefined,
  fixed: new Map(context.fixed).set(axis, lane),
  lets: new Map([...context.lets].map(([name, value]) => [name, laneValue(value, lane)])),
  named: new Map(),
})
const laneValue = (value: Value, lane: number): Value =>
  value.lanes === 1 ? value : { ...value, code: `${value.code}[${lane}]`, lanes: 1 }

/** An index that is the same in every lane, as i32 code. */
export const indexCode = (x: Index, context: Context): string => code(settle(x, context), context)

const code = (x: Index, context: Context): string => {
  switch (x.kind) {
    case 'const':
      return x.value < 0 ? `(${x.value})` : `${x.value}`
    case 'sum': {
      const parts = x.terms.map(t => {
        const factors = t.factors.map(f => atomCode(f, context))
        return (t.coef === 1 ? factors : [t.coef < 0 ? `(${t.coef})` : `${t.coef}`, ...factors]).join(' * ')
      })
      if (x.offset !== 0) parts.push(x.offset < 0 ? `(${x.offset})` : `${x.offset}`)
      return parts.length === 1 && !parts[0]?.includes(' ') ? `${parts[0]}` : `(${parts.join(' + ')})`
    }
    default:
      return atomCode(x, context)
  }
}

const atomCode = (x: Atom, context: Context): string => {
  switch (x.kind) {
    case 'var': {
      const name = context.axes.get(x.name)
      if (name === undefined) throw new Error(`kernel ${context.kernel.name} has no axis or symbol ${x.name} here`)
      return name
    }
    case 'value':
      return bind(context, scalarCode(x.scalar, context), 'at').code
    case 'min':
    case 'max':
      return `${x.kind}(${code(x.lhs, context)}, ${code(x.rhs, context)})`
    case 'div':
    case 'mod': {
      const num = code(x.num, context)
      const den = code(x.den, context)
      const plain = rangeOf(x.num, context.ranges).min >= 0
      if (plain) return `(${num} ${x.kind === 'div' ? '/' : '%'} ${den})`
      return `${context.helpers.use(x.kind === 'div' ? 'floor_div' : 'floor_mod')}(${num}, ${den})`
    }
  }
}

/** How an index moves along the lanes of a vector axis; `base` is its value in lane 0. */
export type LaneStep =
  | { readonly kind: 'uniform' }
  | { readonly kind: 'affine'; readonly base: Index; readonly step: number }
  | { readonly kind: 'any' }

export const laneStep = (
  x: Index,
  axis: string,
  lanes: number,
  context: Pick<Context, 'ranges' | 'fixed'> & LaneScope,
): LaneStep => {
  if (!dependsOn(x, axis, context)) return { kind: 'uniform' }
  let data = false
  ix.visitAtoms(x, atom => {
    if (atom.kind === 'value' && dependsOn(atom.scalar, axis, context)) data = true
  })
  if (data) return { kind: 'any' }
  const at = (lane: number): Index =>
    simplify(
      ix.mapAtoms(x, atom => {
        if (atom.kind !== 'var') return undefined
        const value = atom.name === axis ? lane : context.fixed.get(atom.name)
        return value === undefined ? undefined : ix.constant(value)
      }),
      context.ranges,
    )
  const base = at(0)
  let step: number | undefined
  for (let lane = 1; lane < lanes; lane++) {
    const gap = simplify(ix.sub(at(lane), base), context.ranges)
    if (!ix.isConst(gap) || gap.value % lane !== 0 || (step !== undefined && gap.value !== step * lane))
      return { kind: 'any' }
    step = gap.value / lane
  }
  return { kind: 'affine', base, step: step ?? 0 }
}

/** An index as an i32 value, one component a lane where it varies. */
export const indexValue = (x: Index, context: Context): Value => {
  const scalar = (c: string, depth = 2): Value => ({
    code: c,
    dtype: 'i32',
    held: 'i32',
    lanes: 1,
    constant: /^\(?-?\d+\)?$/.test(c),
    atom: /^\w+$/.test(c),
    depth,
  })
  const { vector } = context
  const typed = (c: string): string => (/^\(?-?\d+\)?$/.test(c) ? `i32(${c})` : c)
  if (vector === undefined) return scalar(typed(indexCode(x, context)))
  const step = laneStep(x, vector.axis, vector.lanes, context)
  if (step.kind === 'uniform' || (step.kind === 'affine' && step.step === 0))
    return scalar(typed(indexCode(step.kind === 'affine' ? step.base : x, context)))
  const lanes: Lanes = vector.lanes
  const all = Array.from({ length: lanes }, (_, lane) => lane)
  if (step.kind === 'affine') {
    const base = splat(scalar(typed(indexCode(step.base, context))), lanes)
    return {
      ...base,
      code: `(${base.code} + vec${lanes}<i32>(${all.map(l => l * step.step).join(', ')}))`,
      constant: false,
      atom: false,
    }
  }
  const parts = all.map(lane => indexCode(x, laneOf(context, vector.axis, lane)))
  return { ...scalar(`vec${lanes}<i32>(${parts.join(', ')})`), lanes, constant: false }
}
