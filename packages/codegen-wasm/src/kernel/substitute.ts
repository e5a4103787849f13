/** @file Replaces axes inside kernels: names of vector axes by one canonical name, lanes by numbers. */
import { type Index, type Scalar, type Stmt, ix, scalar } from '@quern/core-ir'
import { visitStatements } from './analysis.ts'

/** What replaces a variable (undefined keeps it), and how accesses of a buffer change. */
export interface Replace {
  readonly variable: (name: string) => Index | undefined
  readonly subscripts?: (buffer: string, indices: readonly Index[]) => readonly Index[]
}
/** Replaces one variable. */
export const binding = (axis: string, by: Index): Replace => ({
  variable: name => (name === axis ? by : undefined),
})

export const inIndex = (x: Index, replace: Replace): Index =>
  ix.mapAtoms(x, atom =>
    atom.kind === 'var'
      ? replace.variable(atom.name)
      : atom.kind === 'value'
        ? ix.fromScalar(inScalar(atom.scalar, replace))
        : undefined,
  )
const inAccess = (buffer: string, indices: readonly Index[], replace: Replace): readonly Index[] => {
  const inner = indices.map(i => inIndex(i, replace))
  return replace.subscripts?.(buffer, inner) ?? inner
}

export const inScalar = (x: Scalar, replace: Replace): Scalar => {
  const go = (y: Scalar): Scalar => inScalar(y, replace)
  switch (x.kind) {
    case 'const':
    case 'ref':
      return x
    case 'index':
      return scalar.indexScalar(inIndex(x.index, replace), x.dtype === 'i64' ? 'i64' : 'i32')
    case 'load':
      return scalar.load(
        x.buffer,
        x.dtype,
        inAccess(x.buffer, x.indices, replace),
        x.guard === undefined || x.fill === undefined ? undefined : { guard: go(x.guard), fill: go(x.fill) },
      )
    case 'unary':
      return scalar.unary(x.op, go(x.operand))
    case 'binary':
      return scalar.binary(x.op, go(x.lhs), go(x.rhs))
    case 'select':
      return scalar.select(go(x.condition), go(x.then), go(x.otherwise))
    case 'cast':
      return scalar.cast(go(x.operand), x.dtype)
    case 'bitcast':
      return scalar.bitcast(go(x.operand), x.dtype)
    case 'intrinsic':
      return scalar.intrinsic(x.name, x.dtype, x.args.map(go))
    case 'reduce':
      return scalar.reduce(x.reducer, x.axes, go(x.body), x.dtype)
  }
}

export const inStatements = (stmts: readonly Stmt[], replace: Replace): readonly Stmt[] =>
  stmts.map((s): Stmt => {
    switch (s.kind) {
      case 'for':
        return { ...s, extent: inIndex(s.extent, replace), body: inStatements(s.body, replace) }
      case 'alloc':
      case 'barrier':
        return s
      case 'let':
        return { ...s, value: inScalar(s.value, replace) }
      case 'store':
      case 'accumulate':
        return { ...s, indices: inAccess(s.buffer, s.indices, replace), value: inScalar(s.value, replace) }
      case 'if':
        return {
          ...s,
          condition: inScalar(s.condition, replace),
          then: inStatements(s.then, replace),
          else: inStatements(s.else, replace),
        }
      case 'fail':
        return { ...s, at: inIndex(s.at, replace) }
    }
  })

/** The axis of every vector loop of so many lanes. One name, so that equal work in several loops is seen to be equal. */
export const laneAxis = (extent: number): string => `lane.${extent}`

/** Lanes that SIMD code is written for; other extents run lane by lane. */
const simdExtents: readonly number[] = [2, 4, 8, 16]

/** Vector loops over {@link laneAxis}; vector loops of odd extents become one copy of the body a lane. */
export const canonicalise = (stmts: readonly Stmt[]): readonly Stmt[] =>
  stmts.flatMap((s): readonly Stmt[] => {
    if (s.kind === 'if') return [{ ...s, then: canonicalise(s.then), else: canonicalise(s.else) }]
    if (s.kind !== 'for') return [s]
    const body = canonicalise(s.body)
    if (s.tag !== 'vector') return [{ ...s, body }]
    if (!ix.isConst(s.extent)) return [{ ...s, tag: 'serial', body }]
    const { value } = s.extent
    if (!simdExtents.includes(value))
      return Array.from({ length: value }, (_, lane) => inStatements(body, binding(s.axis, ix.constant(lane)))).flat()
    const axis = laneAxis(value)
    return [{ ...s, axis, body: ownLanes(inStatements(body, binding(s.axis, ix.variable(axis))), value) }]
  })

/** A buffer that is allocated inside a vector axis belongs to one lane: it gets the lanes as its last dim. */
const ownLanes = (body: readonly Stmt[], extent: number): readonly Stmt[] => {
  const own = new Set<string>()
  visitStatements(body, s => {
    if (s.kind === 'alloc') own.add(s.buffer.name)
  })
  if (own.size === 0) return body
  const lane = ix.variable(laneAxis(extent))
  const widen = (stmts: readonly Stmt[]): readonly Stmt[] =>
    stmts.map(s => {
      if (s.kind === 'if') return { ...s, then: widen(s.then), else: widen(s.else) }
      return s.kind === 'alloc' ? { ...s, buffer: { ...s.buffer, shape: [...s.buffer.shape, ix.constant(extent)] } } : s
    })
  return inStatements(widen(body), {
    variable: () => undefined,
    subscripts: (buffer, indices) => (own.has(buffer) ? [...indices, lane] : indices),
  })
}
