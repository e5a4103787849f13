/** @file The order in which sorting puts elements. */
import { isFloat } from '../scalar/scalar-ops.ts'
import { type Scalar, binary, unary } from '../scalar/scalar.ts'

/** Whether x must come before y. */
export const before = (x: Scalar, y: Scalar, descending: boolean): Scalar => {
  const [low, high] = descending ? [y, x] : [x, y]
  const less = binary('lt', low, high)
  if (!isFloat(x.dtype)) return less
  return binary('or', less, binary('and', unary('isnan', high), unary('not', unary('isnan', low))))
}
