/** @file What `split` with the tail `mask` needs: iterations beyond the extent accumulate the neutral element. */
import type { DType } from '@quern/artifact'
import { type AccumulateOp, type Kernel, type Scalar, type Stmt, ix, neutralOf, scalar as sc } from '@quern/core-ir'
import { accessesOf } from './access.ts'
import { factsOf, provesInside, withAxis, withFacts } from './bounds.ts'
import { isLess } from './conditions.ts'
import { scheduleError } from './error.ts'
import { type Place, allocsOf, declOf } from './locate.ts'
import { guardLoads } from './pad-tail.ts'
import { type For, editStmts, visitStmts } from './tree.ts'

/** The loop, ready to run up to the next multiple of `factor`. */
export const maskTail = (kernel: Kernel, place: Place, factor: number): For => {
  const { loop } = place
  const refuse = (why: string): never => {
    throw scheduleError(
      kernel,
      'split',
      'not-a-reduction',
      `the iterations of ${loop.axis} are masked only where they do nothing but accumulate: ${why}`,
      loop.axis,
    )
  }
  visitStmts(loop.body, s => {
    if (s.kind !== 'for' && s.kind !== 'if' && s.kind !== 'accumulate') refuse(`it holds a ${s.kind}`)
  })
  const around = withAxis(place.domain, loop.axis, ix.roundUp(loop.extent, factor))
  for (const a of accessesOf(loop.body)) {
    const decl = declOf(kernel, a.buffer)
    const domain = withFacts(
      a.loops.reduce((d, l) => withAxis(d, l.axis, l.extent), around),
      a.facts,
    )
    const isInside = decl?.shape.every((e, d) => provesInside(a.indices[d] ?? ix.constant(0), e, domain))
    if (isInside !== true && (a.kind !== 'read' || kernel.params.every(p => p.name !== a.buffer)))
      refuse(`beyond the extent it would reach outside ${a.buffer}`)
  }
  const local = new Set(allocsOf(loop.body).map(a => a.buffer.name))
  const inside = isLess(ix.variable(loop.axis), loop.extent)
  const guarded = guardLoads(kernel, loop, around, local, factor)
  return {
    ...guarded,
    body: editStmts(guarded.body, (s): readonly Stmt[] | undefined => {
      if (s.kind !== 'accumulate' || vanishes(s.reducer, s.value, loop)) return undefined
      return [{ ...s, value: sc.select(inside, s.value, neutral(s.reducer, s.value.dtype)) }]
    }),
  }
}

const neutral = (reducer: AccumulateOp, dtype: DType): Scalar => sc.literal(neutralOf(reducer, dtype), dtype)

/** Whether a product of loads is zero beyond the extent by itself: each factor is a load that yields zero there. */
const vanishes = (reducer: AccumulateOp, value: Scalar, loop: For): boolean => {
  const within = ix.sub(ix.sub(loop.extent, 1), ix.variable(loop.axis))
  const isZero = (x: Scalar): boolean =>
    x.kind === 'load' &&
    x.guard !== undefined &&
    x.fill?.kind === 'const' &&
    Number(x.fill.value) === 0 &&
    factsOf(x.guard).facts.some(f => ix.sameIndex(f, within))
  return reducer === 'sum' && value.kind === 'binary' && value.op === 'mul' && isZero(value.lhs) && isZero(value.rhs)
}
