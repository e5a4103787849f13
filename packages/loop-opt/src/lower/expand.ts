/**
 * @file Writes the body of one nest: substitutes subscripts, inlines values that are not stored into the expressions of
 * their users, and binds what is used more than once to a name.
 */
import {
  type Index,
  type LoopBuilder,
  type Ranges,
  type Scalar,
  type Value,
  ix,
  provesLess,
  provesLessEqual,
  scalar as sc,
  simplify,
} from '@quern/core-ir'
import { mapScalar } from './map-scalar.ts'
import type { RegionContext } from './region-context.ts'

export type Subscripts = ReadonlyMap<string, Index>

/** Where loads of a pseudo-buffer go: a buffer of the kernel, or undefined to inline the value's definition. */
export type BufferOf = (id: string) => string | undefined

export interface Expander {
  /** The expression with `subscripts` in place of its axes. */
  expand(x: Scalar, subscripts: Subscripts): Scalar
  /** The element of a value. */
  at(value: Value, indices: readonly Index[]): Scalar
}

/** @param binder where to bind names; absent: everything is inlined */
export const expander = (
  context: RegionContext,
  bufferOf: BufferOf,
  ranges: Ranges,
  binder: LoopBuilder | undefined,
): Expander => {
  const memo = new Map<string, Scalar>()
  const index = (i: Index, subscripts: Subscripts, guard: Scalar | undefined): Index =>
    simplify(
      ix.mapAtoms(i, atom =>
        atom.kind === 'var'
          ? subscripts.get(atom.name)
          : atom.kind === 'value'
            ? ix.fromScalar(expand(atom.scalar, subscripts, guard))
            : undefined,
      ),
      ranges,
    )
  const expand = (x: Scalar, subscripts: Subscripts, guard: Scalar | undefined): Scalar =>
    mapScalar(
      x,
      s => {
        if (s.kind === 'load') return loadOf(s, subscripts, guard)
        if (s.kind === 'binary' && (s.op === 'and' || s.op === 'ge' || s.op === 'lt'))
          return foldGuard(sc.binary(s.op, expand(s.lhs, subscripts, guard), expand(s.rhs, subscripts, guard)), ranges)
        return undefined
      },
      i => index(i, subscripts, guard),
    )
  const loadOf = (x: Extract<Scalar, { kind: 'load' }>, subscripts: Subscripts, outer: Scalar | undefined): Scalar => {
    const own = x.guard && expand(x.guard, subscripts, outer)
    const fill = x.fill && expand(x.fill, subscripts, outer)
    if (own !== undefined && fill !== undefined && isFalse(own)) return fill
    const guard = both(outer, own)
    const indices = x.indices.map(i => index(i, subscripts, guard))
    const buffer = bufferOf(x.buffer)
    if (buffer !== undefined)
      return sc.load(buffer, x.dtype, indices, guard && { guard, fill: fill ?? sc.literal(0, x.dtype) })
    const value = context.valueOf(x.buffer)
    if (value === undefined) throw new Error(`nothing is stored for ${x.buffer}`)
    const inner = context.literals.get(value) ?? elementOf(value, indices, guard)
    return own === undefined || fill === undefined || isTrue(own) ? inner : sc.select(own, inner, fill)
  }
  const elementOf = (value: Value, indices: readonly Index[], guard: Scalar | undefined): Scalar => {
    const id = context.idOf(value)
    const key = `${id}[${indices.map(i => i.key).join(', ')}] ${guard?.key ?? ''}`
    const known = memo.get(key)
    if (known !== undefined) return known
    const definition = context.definitionOf(value)
    if (definition === undefined) throw new Error(`${id} of ${context.graph.name} is neither stored nor defined`)
    const subscripts = new Map(definition.axes.map((a, i) => [a.name, indices[i] ?? ix.constant(0)]))
    const inlined = expand(definition.scalar, subscripts, guard)
    const shared = (context.uses.get(id) ?? 0) > 1 && !isTrivial(inlined)
    const result = shared && binder !== undefined ? binder.let(hintOf(value), inlined) : inlined
    memo.set(key, result)
    return result
  }
  return {
    expand: (x, subscripts) => expand(x, subscripts, undefined),
    at: (value, indices) =>
      loadOf(asLoad(sc.load(context.idOf(value), value.type.dtype, indices)), new Map(), undefined),
  }
}

const asLoad = (x: Scalar): Extract<Scalar, { kind: 'load' }> => {
  if (x.kind !== 'load') throw new Error('not a load')
  return x
}

/** A readable name for what a value holds. */
export const hintOf = (value: Value): string => identifier(value.name ?? value.node?.op ?? 'value')
export const identifier = (text: string): string => {
  const plain = text.replace(/[^A-Za-z0-9_]/g, '_')
  return /^[A-Za-z]/.test(plain) ? plain : `v${plain}`
}

const isTrivial = (x: Scalar): boolean =>
  x.kind === 'const' || x.kind === 'ref' || x.kind === 'index' || x.kind === 'load'
const isTrue = (x: Scalar): boolean => x.kind === 'const' && x.dtype === 'bool' && Number(x.value) !== 0
const isFalse = (x: Scalar): boolean => x.kind === 'const' && x.dtype === 'bool' && Number(x.value) === 0

const both = (a: Scalar | undefined, b: Scalar | undefined): Scalar | undefined => {
  if (a === undefined || isTrue(a)) return b === undefined || isTrue(b) ? undefined : b
  if (b === undefined || isTrue(b) || a.key === b.key) return a
  return sc.binary('and', a, b)
}

const asIndex = (x: Scalar): Index | undefined => {
  if (x.kind === 'index') return x.index
  return x.kind === 'const' && x.dtype === 'i32' ? ix.constant(Number(x.value)) : undefined
}

/** Decides comparisons of indices by the ranges of their axes, and conjunctions with what is known. */
const foldGuard = (x: Scalar, ranges: Ranges): Scalar => {
  if (x.kind !== 'binary') return x
  if (x.op === 'and' && x.dtype === 'bool') {
    if (isTrue(x.lhs) || isFalse(x.rhs)) return x.rhs
    if (isTrue(x.rhs) || isFalse(x.lhs)) return x.lhs
    return x
  }
  const lhs = asIndex(x.lhs),
    rhs = asIndex(x.rhs)
  if (lhs === undefined || rhs === undefined || (x.op !== 'ge' && x.op !== 'lt')) return x
  const less = provesLess(lhs, rhs, ranges)
  const notLess = provesLessEqual(rhs, lhs, ranges)
  if (less || notLess) return sc.literal(x.op === 'lt' ? less : notLess, 'bool')
  return x
}
