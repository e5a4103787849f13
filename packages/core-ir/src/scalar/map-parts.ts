/** @file The same scalar over new parts. */
import type { Index } from '../index/index-expr.ts'
import { type Scalar, binary, bitcast, cast, indexScalar, intrinsic, load, reduce, select, unary } from './scalar.ts'

/** Rebuilds `x` from its operands through `go` and its indices through `at`, in the order of evaluation. */
export const mapParts = (x: Scalar, go: (y: Scalar) => Scalar, at: (i: Index) => Index): Scalar => {
  switch (x.kind) {
    case 'const':
    case 'ref':
      return x
    case 'index':
      return indexScalar(at(x.index), x.dtype === 'i64' ? 'i64' : 'i32')
    case 'load': {
      const indices = x.indices.map(at)
      return x.guard === undefined || x.fill === undefined
        ? load(x.buffer, x.dtype, indices)
        : load(x.buffer, x.dtype, indices, { guard: go(x.guard), fill: go(x.fill) })
    }
    case 'unary':
      return unary(x.op, go(x.operand))
    case 'binary':
      return binary(x.op, go(x.lhs), go(x.rhs))
    case 'select':
      return select(go(x.condition), go(x.then), go(x.otherwise))
    case 'cast':
      return cast(go(x.operand), x.dtype)
    case 'bitcast':
      return bitcast(go(x.operand), x.dtype)
    case 'intrinsic':
      return intrinsic(x.name, x.dtype, x.args.map(go))
    case 'reduce':
      return reduce(
        x.reducer,
        x.axes.map(a => ({ name: a.name, extent: at(a.extent) })),
        go(x.body),
        x.dtype,
      )
  }
}
