/** @file Rebuilds scalar expressions: every child, and the scalars inside index expressions, through one function. */
import { type Index, type Scalar, ix, scalar as sc } from '@quern/core-ir'

/** Rebuilds `x` top-down: `replace` returns the new expression of a node, or undefined to go into its children. */
export const mapScalar = (
  x: Scalar,
  replace: (x: Scalar) => Scalar | undefined,
  mapIndex: (i: Index) => Index = i => mapValues(i, s => mapScalar(s, replace)),
): Scalar => {
  const replaced = replace(x)
  if (replaced !== undefined) return replaced
  const go = (y: Scalar): Scalar => mapScalar(y, replace, mapIndex)
  switch (x.kind) {
    case 'const':
    case 'ref':
      return x
    case 'index':
      return sc.indexScalar(mapIndex(x.index), x.dtype === 'i64' ? 'i64' : 'i32')
    case 'load':
      return sc.load(
        x.buffer,
        x.dtype,
        x.indices.map(mapIndex),
        x.guard === undefined || x.fill === undefined ? undefined : { guard: go(x.guard), fill: go(x.fill) },
      )
    case 'unary':
      return sc.unary(x.op, go(x.operand))
    case 'binary':
      return sc.binary(x.op, go(x.lhs), go(x.rhs))
    case 'select':
      return sc.select(go(x.condition), go(x.then), go(x.otherwise))
    case 'cast':
      return sc.cast(go(x.operand), x.dtype)
    case 'bitcast':
      return sc.bitcast(go(x.operand), x.dtype)
    case 'intrinsic':
      return sc.intrinsic(x.name, x.dtype, x.args.map(go))
    case 'reduce':
      return sc.reduce(
        x.reducer,
        x.axes.map(a => ({ name: a.name, extent: mapIndex(a.extent) })),
        go(x.body),
        x.dtype,
      )
  }
}

/** Replaces the scalars of `value` atoms. */
export const mapValues = (i: Index, f: (s: Scalar) => Scalar): Index =>
  ix.mapAtoms(i, atom => (atom.kind === 'value' ? ix.fromScalar(f(atom.scalar)) : undefined))

/** Calls `visit` on every load, those inside index expressions included, as often as they stand there. */
export const visitLoads = (x: Scalar, visit: (load: Extract<Scalar, { kind: 'load' }>) => void): void =>
  visitScalar(x, s => {
    if (s.kind === 'load') visit(s)
  })

/** Calls `visit` on every node, outer before inner, entering index expressions. */
export const visitScalar = (x: Scalar, visit: (x: Scalar) => void): void => {
  visit(x)
  const inIndex = (i: Index): void =>
    ix.visitAtoms(i, atom => {
      if (atom.kind === 'value') visitScalar(atom.scalar, visit)
    })
  switch (x.kind) {
    case 'const':
    case 'ref':
      return
    case 'index':
      return inIndex(x.index)
    case 'load':
      x.indices.forEach(inIndex)
      if (x.guard !== undefined) visitScalar(x.guard, visit)
      if (x.fill !== undefined) visitScalar(x.fill, visit)
      return
    case 'unary':
    case 'cast':
    case 'bitcast':
      return visitScalar(x.operand, visit)
    case 'binary':
      visitScalar(x.lhs, visit)
      visitScalar(x.rhs, visit)
      return
    case 'select':
      visitScalar(x.condition, visit)
      visitScalar(x.then, visit)
      visitScalar(x.otherwise, visit)
      return
    case 'intrinsic':
      for (const a of x.args) visitScalar(a, visit)
      return
    case 'reduce':
      visitScalar(x.body, visit)
      return
  }
}
