/** @file tensorize: statements become an intrinsic. */
import { QuernError } from '@quern/artifact'
import { type Scalar, type Stmt, ix, scalar as sc } from '@quern/core-ir'
import { scheduleError } from '../error.ts'
import { constantExtent, declOf, findLoop } from '../locate.ts'
import { permits, primitive } from '../schedule.ts'
import { editStmts, replaceLoop, substitute, variablesOf } from '../tree.ts'
import { type IntrinsicPattern, intrinsicPatterns } from '../intrinsic-patterns.ts'

/**
 * `tensorize('k', 'madd')`: every accumulate in the body that means what the intrinsic does becomes it:
 *
 *     for k: acc[i] sum= a[i, k] * b[k]   →   for k: acc[i] = madd!(a[i, k], b[k], acc[i])
 *
 * An intrinsic over several iterations takes the whole loop, and no loop is left:
 *
 *     for q < 4: acc[i] sum= i32(a[4 k + q]) * i32(b[4 k + q])   →   acc[i] = dot4!(a[4 k], …, b[4 k], …, acc[i])
 */
export const tensorize = primitive('tensorize', (s, axis: string, intrinsic: string) => {
  const pattern: IntrinsicPattern | undefined = intrinsicPatterns.find(p => p.name === intrinsic)
  if (pattern === undefined)
    throw new QuernError(
      'schedule/tensorize-no-such-intrinsic',
      `no intrinsic is named ${intrinsic}; there are ${intrinsicPatterns.map(p => p.name).join(', ')}`,
      { intrinsic },
    )
  const { loop } = findLoop(s.kernel, axis, 'tensorize')
  if (pattern.numerics !== 'exact' && !permits(s, pattern.numerics))
    throw scheduleError(
      s.kernel,
      'tensorize',
      'numerics',
      `${intrinsic} needs the permission ${pattern.numerics}`,
      axis,
    )
  let matched = 0
  const intrinsicFor = (x: Stmt, iterations: readonly (readonly Stmt[])[]): Stmt | undefined => {
    if (x.kind !== 'accumulate' || x.reducer !== 'sum') return undefined
    const dtype = declOf(s.kernel, x.buffer)?.dtype
    if (dtype !== pattern.result) return undefined
    const perIteration = iterations.map(([one]) =>
      one?.kind === 'accumulate' ? pattern.operands(one.value) : undefined,
    )
    const [first] = perIteration
    if (first === undefined || perIteration.some(p => p === undefined)) return undefined
    const args: Scalar[] = first.flatMap((_, at) => perIteration.flatMap(p => p?.[at] ?? []))
    matched++
    return {
      kind: 'store',
      buffer: x.buffer,
      indices: x.indices,
      value: sc.intrinsic(pattern.name, pattern.result, [...args, sc.load(x.buffer, dtype, x.indices)]),
    }
  }
  const edited = replaceLoop(s.kernel, axis, l => {
    if (pattern.iterations === 1)
      return [
        {
          ...l,
          body: editStmts(l.body, x => {
            const y = intrinsicFor(x, [[x]])
            return y && [y]
          }),
        },
      ]
    const [only, ...more] = l.body
    if (
      only?.kind !== 'accumulate' ||
      more.length > 0 ||
      constantExtent(l) !== pattern.iterations ||
      only.indices.some(i => variablesOf(i).has(axis))
    )
      return [l]
    const y = intrinsicFor(
      only,
      Array.from({ length: pattern.iterations }, (_, q) => substitute([only], new Map([[axis, ix.constant(q)]]))),
    )
    return [y ?? l]
  })
  if (matched === 0)
    throw scheduleError(
      s.kernel,
      'tensorize',
      'no-match',
      `nothing in ${axis} means ${pattern.says}${pattern.iterations > 1 ? ` over ${pattern.iterations} iterations (the extent is ${loop.extent.key})` : ''}`,
      axis,
    )
  return { kernel: edited }
})
