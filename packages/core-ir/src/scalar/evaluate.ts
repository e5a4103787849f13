/** @file Runs scalar and index expressions: compiled once to closures, then called once an element. */
import type { DType } from '@quern/artifact'
import type { Atom, Index, Term } from '../index/index-expr.ts'
import { binaryFunction, unaryFunction } from './arithmetic.ts'
import { bitcastFunction, castFunction, castValue } from './cast.ts'
import { intrinsicNamed } from './intrinsics.ts'
import { combinerFunction, displaces, neutralOf } from './reduce.ts'
import { isInteger } from './scalar-ops.ts'
import type { Scalar } from './scalar.ts'
import { type ScalarValue, roundFloat } from './value.ts'

/** Where an expression's names come from; asked once, at compilation. The getters are called once an evaluation. */
export interface ScalarResolver {
  /** An axis or a symbol. */
  variable(name: string): () => number
  /** A name bound by `let`. */
  ref(name: string, dtype: DType): () => ScalarValue
  /** An element of a buffer. The array of indices is reused between calls. */
  load(buffer: string, dtype: DType): (indices: readonly number[]) => ScalarValue
}

/** The current position of each axis that an enclosing reducer runs over. */
type Axes = ReadonlyMap<string, { at: number }>

/** A literal in the form that arithmetic expects: rounded, wrapped, a bigint where wide. */
export const literalValue = (dtype: DType, value: number | bigint): ScalarValue =>
  typeof value === 'bigint'
    ? castValue('i64', dtype, value)
    : Number.isInteger(value) && isInteger(dtype)
      ? castValue('i64', dtype, BigInt(value))
      : castValue('f64', dtype, value)

export const compileIndex = (x: Index, resolver: ScalarResolver): (() => number) => index(x, resolver, new Map())
export const compileScalar = (x: Scalar, resolver: ScalarResolver): (() => ScalarValue) =>
  scalar(x, resolver, new Map())

const index = (x: Index, resolver: ScalarResolver, axes: Axes): (() => number) => {
  switch (x.kind) {
    case 'const': {
      const { value } = x
      return () => value
    }
    case 'sum':
      return sum(
        x.offset,
        x.terms.map(t => term(t, resolver, axes)),
      )
    default:
      return atom(x, resolver, axes)
  }
}

const term = ({ coef, factors }: Term, resolver: ScalarResolver, axes: Axes): (() => number) => {
  const [first, ...rest] = factors.map(f => atom(f, resolver, axes))
  if (first === undefined) return () => coef
  if (rest.length === 0) return coef === 1 ? first : () => coef * first()
  return () => {
    let p = coef * first()
    for (const f of rest) p *= f()
    return p
  }
}

/** Subscripts are evaluated once an element: the usual short sums are written out. */
const sum = (offset: number, terms: readonly (() => number)[]): (() => number) => {
  const [a, b, c, ...rest] = terms
  if (a === undefined) return () => offset
  if (b === undefined) return () => offset + a()
  if (c === undefined) return () => offset + a() + b()
  if (rest.length === 0) return () => offset + a() + b() + c()
  return () => {
    let total = offset + a() + b() + c()
    for (const t of rest) total += t()
    return total
  }
}

const atom = (x: Atom, resolver: ScalarResolver, axes: Axes): (() => number) => {
  switch (x.kind) {
    case 'var': {
      const cell = axes.get(x.name)
      return cell === undefined ? resolver.variable(x.name) : () => cell.at
    }
    case 'value': {
      const value = scalar(x.scalar, resolver, axes)
      return () => Number(value())
    }
    case 'div': {
      const num = index(x.num, resolver, axes),
        den = index(x.den, resolver, axes)
      return () => Math.floor(num() / den())
    }
    case 'mod': {
      const num = index(x.num, resolver, axes),
        den = index(x.den, resolver, axes)
      return () => {
        const d = den(),
          r = num() % d
        return r < 0 ? r + d : r + 0
      }
    }
    case 'min':
    case 'max': {
      const lhs = index(x.lhs, resolver, axes),
        rhs = index(x.rhs, resolver, axes),
        pick = Math[x.kind]
      return () => pick(lhs(), rhs())
    }
  }
}

const scalar = (x: Scalar, resolver: ScalarResolver, axes: Axes): (() => ScalarValue) => {
  const go = (y: Scalar): (() => ScalarValue) => scalar(y, resolver, axes)
  switch (x.kind) {
    case 'const': {
      const value = literalValue(x.dtype, x.value)
      return () => value
    }
    case 'index': {
      const at = index(x.index, resolver, axes)
      return x.dtype === 'i64' ? () => BigInt(at()) : at
    }
    case 'load':
      return loadOf(x, resolver, axes)
    case 'ref':
      return resolver.ref(x.name, x.dtype)
    case 'unary': {
      const f = unaryFunction(x.op, x.operand.dtype),
        operand = go(x.operand)
      return () => f(operand())
    }
    case 'binary': {
      const f = binaryFunction(x.op, x.lhs.dtype),
        lhs = go(x.lhs),
        rhs = go(x.rhs)
      return () => f(lhs(), rhs())
    }
    case 'select': {
      const condition = go(x.condition),
        then = go(x.then),
        otherwise = go(x.otherwise)
      return () => (condition() === 0 ? otherwise() : then())
    }
    case 'cast': {
      const f = castFunction(x.operand.dtype, x.dtype),
        operand = go(x.operand)
      return () => f(operand())
    }
    case 'bitcast': {
      const f = bitcastFunction(x.operand.dtype, x.dtype),
        operand = go(x.operand)
      return () => f(operand())
    }
    case 'intrinsic': {
      const { evaluate } = intrinsicNamed(x.name),
        args = x.args.map(go)
      return () => evaluate(...args.map(a => a()))
    }
    case 'reduce':
      return reduction(x, resolver, axes)
  }
}

const loadOf = (x: Extract<Scalar, { kind: 'load' }>, resolver: ScalarResolver, axes: Axes): (() => ScalarValue) => {
  const getters = x.indices.map(i => index(i, resolver, axes)),
    read = resolver.load(x.buffer, x.dtype),
    at = getters.map(() => 0)
  const element = (): ScalarValue => {
    for (let d = 0; d < getters.length; d++) at[d] = getters[d]?.() ?? 0
    return read(at)
  }
  if (x.guard === undefined || x.fill === undefined) return element
  const guard = scalar(x.guard, resolver, axes),
    fill = scalar(x.fill, resolver, axes)
  return () => (guard() === 0 ? fill() : element())
}

const reduction = (
  x: Extract<Scalar, { kind: 'reduce' }>,
  resolver: ScalarResolver,
  outer: Axes,
): (() => ScalarValue) => {
  const inner = new Map(outer)
  // An extent may mention the axes before it.
  const loops = x.axes.map(axis => {
    const extent = index(axis.extent, resolver, inner),
      cell = { at: 0 }
    inner.set(axis.name, cell)
    return { extent, cell }
  })
  const body = scalar(x.body, resolver, inner)
  const each = (visit: () => void, depth = 0): void => {
    const loop = loops[depth]
    if (loop === undefined) return visit()
    const n = loop.extent()
    for (let i = 0; i < n; i++) {
      loop.cell.at = i
      each(visit, depth + 1)
    }
  }
  const { reducer, dtype } = x
  if (reducer === 'argmax' || reducer === 'argmin') {
    const [axis] = loops
    if (axis === undefined || loops.length !== 1) throw new TypeError(`${reducer} needs exactly one axis`)
    return () => {
      let best: ScalarValue | undefined,
        position = 0
      each(() => {
        const value = body()
        if (best !== undefined && !displaces(reducer, value, best)) return
        best = value
        position = axis.cell.at
      })
      return castValue('i32', dtype, position)
    }
  }
  const neutral = neutralOf(reducer, dtype)
  // Floats accumulate in double and round once: the best that any order of summation could give.
  const wide = dtype === 'f32' || dtype === 'f16' ? 'f64' : dtype
  const step = combinerFunction(reducer, wide),
    finish = dtype === 'f32' || dtype === 'f16' ? roundFloat[dtype] : undefined
  return () => {
    let total = neutral
    each(() => {
      total = step(total, body())
    })
    return finish === undefined ? total : finish(Number(total))
  }
}

/** Names and data for a single evaluation. */
export interface ScalarEnvironment {
  readonly variables?: ReadonlyMap<string, number>
  readonly refs?: ReadonlyMap<string, ScalarValue>
  load?(buffer: string, indices: readonly number[]): ScalarValue
}

/** Evaluates once; throws on an unbound name. */
export const evaluateScalar = (x: Scalar, env: ScalarEnvironment = {}): ScalarValue => {
  const bound = <T>(value: T | undefined, name: string): (() => T) => {
    if (value === undefined) throw new ReferenceError(`unbound name ${name} in a scalar expression`)
    return () => value
  }
  return compileScalar(x, {
    variable: name => bound(env.variables?.get(name), name),
    ref: name => bound(env.refs?.get(name), name),
    load: buffer => indices => {
      if (env.load === undefined) throw new ReferenceError(`no data for buffer ${buffer}`)
      return env.load(buffer, indices)
    },
  })()
}
