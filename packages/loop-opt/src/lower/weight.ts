/** @file Rough costs of scalar expressions, in simple operations: what decides whether work may be repeated. */
import { type Index, type Scalar, type SymbolInfo, binaryOps, ix, unaryOps, visitScalars } from '@quern/core-ir'

/** Simple operations of one evaluation; loads and conversions are free. */
export const weightOf = (x: Scalar): number => {
  let weight = 0
  visitScalars(x, s => {
    weight += nodeWeight(s)
  })
  return weight
}

const nodeWeight = (s: Scalar): number => {
  switch (s.kind) {
    case 'unary':
      return unaryOps[s.op].basic ? (s.op === 'sqrt' ? 4 : 1) : 14
    case 'binary':
      return s.op === 'pow' ? 24 : s.op === 'div' || s.op === 'rem' ? 4 : binaryOps[s.op].result === 'bool' ? 0 : 1
    case 'select':
      return 1
    case 'intrinsic':
      return 4
    case 'const':
    case 'index':
    case 'load':
    case 'ref':
    case 'cast':
    case 'bitcast':
    case 'reduce':
      return 0
  }
}

/** A size to reckon with where a symbol's value is not known: 64, or the nearest that its bounds allow. */
export const typicalSize = (s: SymbolInfo): number => Math.max(s.min, Math.min(s.max ?? Infinity, 64))

/** Estimates of index expressions over symbols; unknown names count as 1. */
export const estimator = (symbols: Iterable<SymbolInfo>): ((x: Index) => number) => {
  const sizes = new Map([...symbols].map(s => [s.name, typicalSize(s)]))
  return x => {
    const bound = ix.mapAtoms(x, a => (a.kind === 'var' ? ix.constant(sizes.get(a.name) ?? 1) : undefined))
    return bound.kind === 'const' ? bound.value : 1
  }
}
