/** @file Integers from data as subscripts: clamped into bounds before they become an index. */
import { type Index, fromScalar, isConst } from '../index/index-expr.ts'
import { type Scalar, binary, cast, indexScalar, literal, select } from '../scalar/scalar.ts'
import type { Operand } from './define-op.ts'

const largest = 2147483647

/** As i32, saturated. */
export const narrowed = (s: Scalar): Scalar => {
  switch (s.dtype) {
    case 'i64':
      return cast(binary('max', binary('min', s, literal(largest, 'i64')), literal(-largest - 1, 'i64')), 'i32')
    case 'u64':
    case 'u32':
      return cast(binary('min', s, literal(largest, s.dtype)), 'i32')
    default:
      return cast(s, 'i32')
  }
}

/** A position along an axis of this extent: negative ones count from the end, and what is outside is moved to the nearest end. */
export const subscript = (s: Scalar, extent: Index): Index => {
  const i = narrowed(s),
    n = indexScalar(extent)
  const counted = s.dtype.startsWith('u') ? i : select(binary('lt', i, literal(0, 'i32')), binary('add', i, n), i)
  const last = binary('sub', n, literal(1, 'i32'))
  return fromScalar(binary('max', binary('min', counted, last), literal(0, 'i32')))
}

/** An element whose subscript along one axis came from {@link subscript}: an axis that may turn out to be empty gives zero. */
export const elementAt = (x: Operand, indices: readonly Index[], axis: number): Scalar => {
  const extent = x.type.shape[axis]
  const never = extent !== undefined && isConst(extent) && extent.value > 0
  return never ? x.at(...indices) : x.atOr(indices, literal(0, x.type.dtype))
}
