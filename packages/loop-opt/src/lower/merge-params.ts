/**
 * @file A kernel that writes over what it reads: two params become one. Elements that would only be copied onto themselves
 * are left alone, and a loop that writes a window of them runs over the window.
 */
import { type Index, type Kernel, type Scalar, type Stmt, ix, scalar as sc } from '@quern/core-ir'
import { editStmts, rewriteStmts, variablesOf } from '../schedule/tree.ts'
import type { LoweredRegion, Stage } from './lowered-region.ts'
import { touched } from './touched.ts'

/** @param read the param that goes; its elements are those of `written`, which must be read before they are written */
export const mergeParams = (region: LoweredRegion, read: string, written: string): LoweredRegion => {
  const { kernel } = region
  const renamed = rewriteStmts(kernel.body, {
    access: (buffer, indices) => ({ buffer: buffer === read ? written : buffer, indices }),
  })
  const body = narrowed(
    editStmts(renamed, s => (s.kind === 'store' && s.buffer === written ? withoutSelfCopies(s) : undefined)),
  )
  const { read: reads } = touched(body)
  const params = kernel.params
    .filter(p => p.name !== read)
    .map(p =>
      p.name === written ? { ...p, access: reads.has(written) ? ('read_write' as const) : ('write' as const) } : p,
    )
  const axes = axesOf(body)
  const kept = (list: readonly string[]): readonly string[] => list.filter(a => axes.has(a))
  const stages = region.stages.map((s): Stage => ({ ...s, spatial: kept(s.spatial), reduce: kept(s.reduce) }))
  const merged: Kernel = { ...kernel, params, body }
  return { kernel: merged, stages }
}

const axesOf = (stmts: readonly Stmt[], into = new Set<string>()): Set<string> => {
  for (const s of stmts) {
    if (s.kind === 'for') {
      into.add(s.axis)
      axesOf(s.body, into)
    }
    if (s.kind === 'if') {
      axesOf(s.then, into)
      axesOf(s.else, into)
    }
  }
  return into
}

type Store = Extract<Stmt, { kind: 'store' }>

/** `y[i] = c ? v : y[i]` writes only where c holds, and `y[i] = y[i]` nothing. */
const withoutSelfCopies = (s: Store): readonly Stmt[] => {
  const isSelf = (x: Scalar): boolean =>
    x.kind === 'load' &&
    x.buffer === s.buffer &&
    x.guard === undefined &&
    x.indices.every((index, d) => index.key === s.indices[d]?.key)
  const { value } = s
  if (isSelf(value)) return []
  const when = (condition: Scalar, then: Scalar): readonly Stmt[] => [
    { kind: 'if', condition, then: [{ ...s, value: then }], else: [] },
  ]
  if (value.kind === 'select' && isSelf(value.otherwise)) return when(value.condition, value.then)
  if (value.kind === 'select' && isSelf(value.then)) return when(sc.unary('not', value.condition), value.otherwise)
  if (value.kind === 'load' && value.guard !== undefined && value.fill !== undefined && isSelf(value.fill))
    return when(value.guard, sc.load(value.buffer, value.dtype, value.indices))
  return [s]
}

/**
 * `for i < n: if 0 ≤ i - p and i - p < r: f(i)`   →   `for i < r: if 0 ≤ i + p and i + p < n: f(i + p)`, where p is the same
 * in all iterations: what an append writes, not all that it could.
 */
const narrowed = (stmts: readonly Stmt[]): readonly Stmt[] =>
  editStmts(stmts, s => {
    if (s.kind !== 'for' || s.tag !== 'serial') return undefined
    const path = innermostIf(s.body)
    if (path === undefined) return undefined
    const parts = conjunction(path.condition)
    const low = parts.findIndex(
      c => c.kind === 'binary' && c.op === 'ge' && isZero(c.rhs) && shiftOf(c.lhs, s.axis) !== undefined,
    )
    const lowPart = parts[low]
    const shift = lowPart?.kind === 'binary' ? shiftOf(lowPart.lhs, s.axis) : undefined
    if (lowPart?.kind !== 'binary' || shift === undefined) return undefined
    const high = parts.findIndex(
      c => c.kind === 'binary' && c.op === 'lt' && c.lhs.key === lowPart.lhs.key && c.rhs.kind === 'index',
    )
    const highPart = parts[high]
    if (highPart?.kind !== 'binary' || highPart.rhs.kind !== 'index') return undefined
    const window = highPart.rhs.index
    if (variablesOf(window).has(s.axis)) return undefined
    const rest = parts.filter((_, i) => i !== low && i !== high)
    const at = ix.add(ix.variable(s.axis), shift)
    const inside = [
      sc.binary('ge', sc.indexScalar(at), sc.literal(0, 'i32')),
      sc.binary('lt', sc.indexScalar(at), sc.indexScalar(s.extent)),
    ]
    const moved = rewriteStmts(path.rebuild(rest), {
      variable: name => (name === s.axis ? at : undefined),
    })
    return [
      {
        ...s,
        extent: window,
        body: path.wrap(
          moved,
          inside.reduce((a, b) => sc.binary('and', a, b)),
        ),
      },
    ]
  })

interface Path {
  readonly condition: Scalar
  /** The body with only these conditions left. */
  rebuild(conditions: readonly Scalar[]): readonly Stmt[]
  wrap(body: readonly Stmt[], condition: Scalar): readonly Stmt[]
}

/** A body that is loops around one `if` without an else. */
const innermostIf = (body: readonly Stmt[]): Path | undefined => {
  const [only, ...more] = body
  if (only === undefined || more.length > 0) return undefined
  if (only.kind === 'if' && only.else.length === 0)
    return {
      condition: only.condition,
      rebuild: conditions =>
        conditions.length === 0
          ? only.then
          : [{ ...only, condition: conditions.reduce((a, b) => sc.binary('and', a, b)) }],
      wrap: (inner, condition) => [{ kind: 'if', condition, then: inner, else: [] }],
    }
  if (only.kind !== 'for' || only.tag !== 'serial') return undefined
  const inner = innermostIf(only.body)
  return (
    inner && {
      condition: inner.condition,
      rebuild: conditions => [{ ...only, body: inner.rebuild(conditions) }],
      wrap: (changed, condition) => [{ kind: 'if', condition, then: changed, else: [] }],
    }
  )
}

const conjunction = (x: Scalar): Scalar[] =>
  x.kind === 'binary' && x.op === 'and' && x.dtype === 'bool' ? [...conjunction(x.lhs), ...conjunction(x.rhs)] : [x]

const isZero = (x: Scalar): boolean =>
  (x.kind === 'const' && Number(x.value) === 0) || (x.kind === 'index' && ix.isConst(x.index, 0))

/** p, where x is the index `axis - p` and p does not change with the axis. */
const shiftOf = (x: Scalar, axis: string): Index | undefined => {
  if (x.kind !== 'index') return undefined
  const shift = ix.sub(ix.variable(axis), x.index)
  return variablesOf(shift).has(axis) ? undefined : shift
}
