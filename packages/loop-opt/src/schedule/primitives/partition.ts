/** @file partition: a loop is cut where its conditions change, so that they vanish in the middle. */
import { type Index, type Scalar, type Stmt, ix } from '@quern/core-ir'
import { type Domain, extreme, factsOf, withAxis } from '../bounds.ts'
import { scheduleError } from '../error.ts'
import { type Place, findLoop, insideOf } from '../locate.ts'
import { primitive } from '../schedule.ts'
import { copyFresh, freshName, namesOf, replaceLoop, substitute, variablesOf, visitScalars } from '../tree.ts'

/**
 * `partition('x')`: cuts at the first and behind the last iteration in which every condition on x holds.
 *
 *     for x < n:                                 for x_lo < p:       … guarded …
 *       for k < 3: … x + k - p ≥ 0 ? …     →     for x < n - 2 p:    … x + p …        conditions now always hold
 *                                                for x_hi < p:       … guarded …
 *
 * Order and meaning stay, so it is always legal. The legaliser drops the conditions that are proved in the middle.
 */
export const partition = primitive('partition', (s, axis: string) => {
  const place = findLoop(s.kernel, axis, 'partition')
  const { loop } = place
  if (loop.tag !== 'serial') throw scheduleError(s.kernel, 'partition', 'not-serial', `${axis} is ${loop.tag}`, axis)
  const { first, end } = interiorOf(place)
  if (first === undefined && end === undefined)
    throw scheduleError(
      s.kernel,
      'partition',
      'no-condition',
      `no condition in the body of ${axis} compares it with what is known outside`,
      axis,
    )
  const n = loop.extent
  const low = first === undefined ? ix.constant(0) : ix.min(ix.max(first, 0), n)
  const high = end === undefined ? n : ix.max(ix.min(end, n), low)
  const taken = namesOf(s.kernel)
  const edge = (suffix: string, from: Index, extent: Index): readonly Stmt[] => {
    if (ix.isConst(extent, 0)) return []
    const name = freshName(taken, `${axis}_${suffix}`)
    const copy = copyFresh(loop.body, suffix, taken)
    return [
      { ...loop, axis: name, extent, body: substitute(copy.stmts, new Map([[axis, ix.add(from, ix.variable(name))]])) },
    ]
  }
  const middle: Stmt = {
    ...loop,
    extent: ix.sub(high, low),
    body: substitute(loop.body, new Map([[axis, ix.add(low, ix.variable(axis))]])),
  }
  return {
    kernel: replaceLoop(s.kernel, axis, () => [
      ...edge('lo', ix.constant(0), low),
      ...(ix.isConst(middle.extent, 0) ? [] : [middle]),
      ...edge('hi', high, ix.sub(n, high)),
    ]),
  }
})

/** The first iteration in which all comparisons on the axis hold, and the one behind the last. */
const interiorOf = (place: Place): { first: Index | undefined; end: Index | undefined } => {
  const bounds: { first: Index | undefined; end: Index | undefined } = { first: undefined, end: undefined }
  const outside = new Set([...place.domain.axes.map(a => a.name), ...place.domain.symbols.keys()])
  const { axis } = place.loop
  const take = (fact: Index, inner: Domain): void => {
    // The condition holds for all iterations of inner axes where its least value over them is ≥ 0.
    const own = inner.axes.slice(place.domain.axes.length + 1)
    const least = extreme(fact, 'lower', own, inner.ranges)
    if (least === undefined || !variablesOf(least).has(axis)) return
    const { offset, terms } = ix.split(least)
    const mine = terms.filter(t => t.factors.length === 1 && t.factors[0]?.kind === 'var' && t.factors[0].name === axis)
    const rest = ix.fromTerms(
      offset,
      terms.filter(t => !mine.includes(t)),
    )
    const [only] = mine
    if (only === undefined || [...variablesOf(rest)].some(v => !outside.has(v))) return
    // c x + rest ≥ 0
    if (only.coef > 0) {
      const from = ix.ceilDiv(ix.mul(rest, -1), only.coef)
      bounds.first = bounds.first === undefined ? from : ix.max(bounds.first, from)
    } else {
      const to = ix.add(ix.floorDiv(rest, -only.coef), 1)
      bounds.end = bounds.end === undefined ? to : ix.min(bounds.end, to)
    }
  }
  const scan = (x: Scalar, domain: Domain): void =>
    visitScalars(x, y => {
      if (y.kind === 'load' && y.guard !== undefined) factsOf(y.guard).facts.forEach(f => take(f, domain))
      if (y.kind === 'select') factsOf(y.condition).facts.forEach(f => take(f, domain))
    })
  const walk = (stmts: readonly Stmt[], domain: Domain): void =>
    stmts.forEach(x => {
      switch (x.kind) {
        case 'for':
          return walk(x.body, withAxis(domain, x.axis, x.extent))
        case 'if':
          scan(x.condition, domain)
          factsOf(x.condition).facts.forEach(f => take(f, domain))
          walk(x.then, domain)
          return walk(x.else, domain)
        case 'let':
        case 'store':
        case 'accumulate':
          return scan(x.value, domain)
        default:
      }
    })
  walk(place.loop.body, insideOf(place))
  return bounds
}
