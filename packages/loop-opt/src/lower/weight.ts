/** @file Rough costs of scalar expressions, in simple operations: what decides whether work may be repeated. */
import {
  type BinaryOp,
  type Index,
  type Scalar,
  type SymbolInfo,
  type UnaryOp,
  binaryOps,
  childrenOf,
  ix,
} from '@quern/core-ir'

/** Simple operations of one evaluation; loads and conversions are free, and so are tests of bounds, which schedules settle. */
export const weightOf = (x: Scalar): number =>
  x.kind === 'load' ? 0 : childrenOf(x).reduce((sum, c) => sum + weightOf(c), nodeWeight(x))

/** Operations that are written out in others, counted in the code for f32. */
const expanded: Readonly<Partial<Record<UnaryOp | BinaryOp, number>>> = {
  exp: 28,
  log: 30,
  sin: 23,
  cos: 23,
  tanh: 30,
  erf: 36,
  sigmoid: 32,
  pow: 100,
}

const nodeWeight = (s: Scalar): number => {
  switch (s.kind) {
    case 'unary':
      return expanded[s.op] ?? (s.op === 'sqrt' ? 4 : 1)
    case 'binary':
      return expanded[s.op] ?? (s.op === 'div' || s.op === 'rem' ? 4 : binaryOps[s.op].result === 'bool' ? 0 : 1)
    case 'select':
      return 1
    // A product and a sum.
    case 'intrinsic':
      return 2
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
