/**
 * @file Simplifies indices and conditions by what is known of axes and symbols, and drops what cannot run. Names are unique in a kernel, so a
 * block's statements may move into the block around it.
 */
import { type Index, type Kernel, type Scalar, type Stmt, ix, mapParts, scalar as sc, simplify } from '@quern/core-ir'
import {
  type Domain,
  domainOf,
  factsOf,
  isCompound,
  negatedFactsOf,
  provesNonNegative,
  withAxis,
  withFacts,
} from '../schedule/bounds.ts'
import { writesOf } from '../schedule/access.ts'
import { type For, scalarVariables, substitute, visitScalars } from '../schedule/tree.ts'

export const simplifyKernel = (kernel: Kernel): Kernel => ({
  ...kernel,
  body: simplifyStmts(kernel.body, domainOf(kernel)),
})

const simplifyStmts = (stmts: readonly Stmt[], domain: Domain): readonly Stmt[] =>
  stmts.flatMap(s => simplifyStmt(s, domain))

const simplifyStmt = (s: Stmt, d: Domain): readonly Stmt[] => {
  switch (s.kind) {
    case 'for': {
      const extent = simplifyIndex(s.extent, d)
      if (ix.isConst(extent) && extent.value <= 0) return []
      if (ix.isConst(extent, 1) && (s.tag === 'serial' || s.tag === 'unroll'))
        return simplifyStmts(substitute(s.body, new Map([[s.axis, ix.constant(0)]])), d)
      const body = simplifyStmts(s.body, withAxis(d, s.axis, extent))
      return body.length === 0 ? [] : [hoistUniform({ ...s, extent, body })]
    }
    case 'if': {
      const condition = simplifyCondition(s.condition, d)
      if (condition.kind === 'const') return simplifyStmts(Number(condition.value) === 1 ? s.then : s.else, d)
      const then = simplifyStmts(s.then, withFacts(d, factsOf(condition).facts))
      const otherwise = simplifyStmts(s.else, withFacts(d, negatedFactsOf(condition)))
      return then.length === 0 && otherwise.length === 0 ? [] : [{ ...s, condition, then, else: otherwise }]
    }
    case 'let':
      return [{ ...s, value: simplifyScalar(s.value, d) }]
    case 'store':
    case 'accumulate':
      return [{ ...s, indices: s.indices.map(i => simplifyIndex(i, d)), value: simplifyScalar(s.value, d) }]
    case 'fail':
      return [{ ...s, at: simplifyIndex(s.at, d) }]
    case 'alloc':
    case 'barrier':
      return [s]
  }
}

export const simplifyIndex = (x: Index, d: Domain): Index => {
  if (!isCompound(x)) return x
  const inner = ix.mapAtoms(x, atom => {
    if (atom.kind !== 'value') return undefined
    const s = simplifyScalar(atom.scalar, d)
    return s.kind === 'index' ? s.index : ix.fromScalar(s)
  })
  return resolveExtrema(simplify(inner, d.ranges), d)
}

/** Decides min and max by symbolic proofs, where intervals do not. */
const resolveExtrema = (x: Index, d: Domain): Index =>
  ix.mapAtoms(x, atom => {
    if (atom.kind !== 'min' && atom.kind !== 'max') return undefined
    const lhs = resolveExtrema(atom.lhs, d),
      rhs = resolveExtrema(atom.rhs, d)
    if (provesNonNegative(ix.sub(rhs, lhs), d)) return atom.kind === 'min' ? lhs : rhs
    if (provesNonNegative(ix.sub(lhs, rhs), d)) return atom.kind === 'min' ? rhs : lhs
    return undefined
  })

const truth = (value: boolean): Scalar => sc.literal(value, 'bool')
const isTruth = (x: Scalar, value: boolean): boolean =>
  x.kind === 'const' && x.dtype === 'bool' && Number(x.value) === Number(value)

const simplifyCondition = (x: Scalar, d: Domain): Scalar => simplifyScalar(x, d)

export const simplifyScalar = (x: Scalar, d: Domain): Scalar => {
  const go = (y: Scalar): Scalar => simplifyScalar(y, d)
  switch (x.kind) {
    case 'const':
    case 'ref':
      return x
    case 'index': {
      const index = simplifyIndex(x.index, d)
      return index.kind === 'const' &&
        x.dtype === 'i32' &&
        Number.isSafeInteger(index.value) &&
        (index.value | 0) === index.value
        ? sc.literal(index.value, 'i32')
        : sc.indexScalar(index, x.dtype === 'i64' ? 'i64' : 'i32')
    }
    case 'load': {
      if (x.guard === undefined || x.fill === undefined)
        return sc.load(
          x.buffer,
          x.dtype,
          x.indices.map(i => simplifyIndex(i, d)),
        )
      const guard = go(x.guard),
        fill = go(x.fill)
      if (isTruth(guard, false)) return fill
      const indices = x.indices.map(i => simplifyIndex(i, withFacts(d, factsOf(guard).facts)))
      return isTruth(guard, true)
        ? sc.load(x.buffer, x.dtype, indices)
        : sc.load(x.buffer, x.dtype, indices, { guard, fill })
    }
    case 'unary': {
      const operand = go(x.operand)
      return x.op === 'not' && operand.kind === 'const' && operand.dtype === 'bool'
        ? truth(Number(operand.value) === 0)
        : sc.unary(x.op, operand)
    }
    case 'binary':
      return simplifyBinary(sc.binary(x.op, go(x.lhs), go(x.rhs)), d)
    case 'select': {
      const condition = go(x.condition)
      return isTruth(condition, true)
        ? go(x.then)
        : isTruth(condition, false)
          ? go(x.otherwise)
          : sc.select(condition, go(x.then), go(x.otherwise))
    }
    case 'cast':
    case 'bitcast':
    case 'intrinsic':
      return mapParts(x, go, i => simplifyIndex(i, d))
    case 'reduce':
      return x
  }
}

const simplifyBinary = (x: Scalar, d: Domain): Scalar => {
  if (x.kind !== 'binary') return x
  if (x.dtype === 'bool' && (x.op === 'and' || x.op === 'or')) {
    const absorbing = x.op === 'or'
    if (isTruth(x.lhs, absorbing) || isTruth(x.rhs, absorbing)) return truth(absorbing)
    if (isTruth(x.lhs, !absorbing)) return x.rhs
    if (isTruth(x.rhs, !absorbing)) return x.lhs
    return x
  }
  const { facts, complete } = factsOf(x)
  if (!complete || facts.length === 0) return x
  if (facts.every(f => provesNonNegative(f, d))) return truth(true)
  if (facts.some(f => provesNonNegative(ix.sub(-1, f), d))) return truth(false)
  const [fact] = facts
  return facts.length === 1 && fact !== undefined ? (coarser(fact, d) ?? x) : x
}

/**
 * A comparison without the small terms that cannot decide it: with 0 ≤ l < 4, `4 x + l < 4 n` says `x < n`. A vector axis
 * thus leaves guards whose bounds are multiples of the lanes.
 */
const coarser = (fact: Index, d: Domain): Scalar | undefined => {
  const { offset, terms } = ix.split(fact)
  const axes = new Set(d.axes.map(a => a.name))
  for (const step of [16, 8, 4, 2]) {
    const big = terms.filter(t => t.coef % step === 0),
      small = terms.filter(t => t.coef % step !== 0)
    if (
      big.length === 0 ||
      small.length === 0 ||
      !small.some(t => t.factors.some(f => f.kind === 'var' && axes.has(f.name)))
    )
      continue
    // fact = step·big + rest ≥ 0; with k·step ≤ rest < (k + 1)·step it is big + k ≥ 0.
    const rest = ix.fromTerms(offset, small)
    const k = Math.floor(offset / step)
    for (const at of [k, k - 1])
      if (provesNonNegative(ix.sub(rest, at * step), d) && provesNonNegative(ix.sub((at + 1) * step - 1, rest), d))
        return sc.binary(
          'ge',
          sc.indexScalar(
            ix.add(
              ix.fromTerms(
                0,
                big.map(t => ({ ...t, coef: t.coef / step })),
              ),
              at,
            ),
          ),
          sc.literal(0, 'i32'),
        )
  }
  return undefined
}

/** `for vector l: if c: f` → `if c: for vector l: f`, where the lanes agree on c and nothing in f can change it. */
const hoistUniform = (s: For): Stmt => {
  const [only, ...more] = s.body
  if (
    s.tag !== 'vector' ||
    only?.kind !== 'if' ||
    more.length > 0 ||
    only.else.length > 0 ||
    scalarVariables(only.condition).has(s.axis)
  )
    return s
  const written = writesOf(only.then)
  let changes = false
  visitScalars(only.condition, x => {
    changes ||= x.kind === 'load' && written.has(x.buffer)
  })
  return changes ? s : { ...only, then: [hoistUniform({ ...s, body: only.then })] }
}
