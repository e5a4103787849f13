/** @file What inlining a value into its readers costs, and needs. */
import { type Index, type Scalar, type Value, ix, visitLoads } from '@quern/core-ir'
import { mapScalar } from './map-scalar.ts'
import type { RegionContext } from './region-context.ts'
import { weightOf } from './weight.ts'

/** Replaces variables in every subscript. */
export const substitute = (x: Scalar, subscripts: ReadonlyMap<string, Index>): Scalar =>
  mapScalar(
    x,
    () => undefined,
    i =>
      ix.mapAtoms(i, a =>
        a.kind === 'var'
          ? subscripts.get(a.name)
          : a.kind === 'value'
            ? ix.fromScalar(substitute(a.scalar, subscripts))
            : undefined,
      ),
  )

/** Simple operations of one element, with all that is inlined into it. */
export const inlinedWeight = (
  context: RegionContext,
  value: Value,
  stored: ReadonlySet<Value>,
  staged: ReadonlySet<Value>,
): number => {
  const seen = new Set<Value>()
  const go = (v: Value): number => {
    const d = context.definitionOf(v)
    if (d === undefined || seen.has(v) || (v !== value && (stored.has(v) || staged.has(v)))) return 0
    seen.add(v)
    let weight = weightOf(d.scalar)
    visitLoads(d.scalar, l => {
      const source = context.valueOf(l.buffer)
      if (source !== undefined) weight += go(source)
    })
    return weight
  }
  return go(value)
}

/** Whether a value's expression reads an accumulator of its own kernel. */
export const dependsOnPrivate = (context: RegionContext, value: Value, stored: ReadonlySet<Value>): boolean => {
  // A value that is read twice is looked at once: the ways to it double with each such value.
  const seen = new Set<Value>()
  const go = (v: Value): boolean => {
    const d = seen.has(v) ? undefined : context.definitionOf(v)
    if (d === undefined) return false
    seen.add(v)
    let found = false
    visitLoads(d.scalar, l => {
      if (found) return
      if (context.accumulatorOf(l.buffer) !== undefined) found = true
      const source = context.valueOf(l.buffer)
      if (source !== undefined && !stored.has(source) && go(source)) found = true
    })
    return found
  }
  return go(value)
}
