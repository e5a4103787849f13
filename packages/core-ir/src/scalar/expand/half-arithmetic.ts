/**
 * @file Half precision on targets without it: every op widens to single precision and rounds its result, which gives the
 * same bits as half arithmetic (24 bits suffice to round + − × ÷ √ of 11-bit operands twice).
 */
import { type Scalar, binary, cast, unary } from '../scalar.ts'

export const isHalf = (x: Scalar): boolean => x.dtype === 'f16'
const wide = (x: Scalar): Scalar => cast(x, 'f32')

/** The same value, computed without half arithmetic. Its operands are already free of it. */
export const widened = (x: Scalar): Scalar => {
  switch (x.kind) {
    case 'unary': {
      if (!isHalf(x.operand)) return x
      return cast(unary(x.op, wide(x.operand)), x.dtype)
    }
    case 'binary': {
      if (!isHalf(x.lhs)) return x
      return cast(binary(x.op, wide(x.lhs), wide(x.rhs)), x.dtype)
    }
    case 'cast': {
      // Whole numbers beyond 2^24 are infinite in half precision, so the step through single precision loses nothing.
      const from = x.operand.dtype
      const direct = from === 'f32' || x.dtype === 'f32' || from === 'f64'
      return direct || (!isHalf(x) && !isHalf(x.operand)) ? x : cast(cast(x.operand, 'f32'), x.dtype)
    }
    default:
      return x
  }
}
