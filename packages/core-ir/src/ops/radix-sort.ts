/** @file Stable sorting by counting digits, least significant first. */
import { type DType, bytesOf } from '@quern/artifact'
import { type Index, fromScalar, isConst } from '../index/index-expr.ts'
import type { LoopBuilder } from '../loop/builder.ts'
import { isFloat, isSigned } from '../scalar/scalar-ops.ts'
import { type Scalar, binary, bitcast, cast, indexScalar, literal, select, unary } from '../scalar/scalar.ts'
import type { LoopBuffer } from './define-op.ts'
import { dim, spliced } from './shapes.ts'

/** Unsigned numbers in the order of the elements: equal exactly where those are (−0 and +0, all NaN), NaN the largest. */
const keyOf = (x: Scalar): Scalar => {
  const wide = bytesOf[x.dtype] === 8
  const [bits, signed]: [DType, DType] = wide ? ['u64', 'i64'] : ['u32', 'i32']
  const top = literal(wide ? 1n << 63n : 2 ** 31, bits)
  const all = literal(wide ? (1n << 64n) - 1n : 2 ** 32 - 1, bits)
  if (!isFloat(x.dtype)) {
    if (!isSigned(x.dtype)) return cast(x, bits)
    const width = bytesOf[x.dtype] * 8
    if (width >= 32) return binary('xor', bitcast(x, bits), top)
    return cast(binary('add', cast(x, 'i32'), literal(2 ** (width - 1), 'i32')), bits)
  }
  const value = x.dtype === 'f16' ? cast(x, 'f32') : x
  const raw = bitcast(value, bits)
  const flip = select(binary('lt', bitcast(value, signed), literal(0, signed)), all, top)
  const zero = binary('eq', value, literal(0, value.dtype))
  return select(unary('isnan', value), all, select(zero, top, binary('xor', raw, flip)))
}

/** Bits of a digit. Counting 2,048 digits pays for long rows, and there are fewer passes then. */
const digitBits = (extent: Index): number => (isConst(extent) && extent.value >= 1 << 14 ? 11 : 8)

export const radixSort = (
  b: LoopBuilder,
  x: LoopBuffer,
  values: LoopBuffer,
  positions: LoopBuffer,
  axis: number,
  descending: boolean,
): void => {
  const extent = dim(x.type, axis)
  const width = digitBits(extent)
  const count = 1 << width
  const keyBits: DType = bytesOf[x.type.dtype] === 8 ? 'u64' : 'u32'
  // Short integers fill the low digits alone; floats of 16 bits are widened.
  const used = isFloat(x.type.dtype) ? bytesOf[keyBits] * 8 : bytesOf[x.type.dtype] * 8
  const passes = Math.ceil(used / width)
  const i32 = (n: number): Scalar => literal(n, 'i32')
  const digit = (key: Scalar, pass: number): Index =>
    fromScalar(
      cast(binary('and', binary('shr', key, literal(pass * width, keyBits)), literal(count - 1, keyBits)), 'i32'),
    )
  b.forAll(spliced(x.type.shape, axis, []), others => {
    const at = (k: Index): Index[] => [...others.slice(0, axis), k, ...others.slice(axis)]
    const keys = b.alloc('keys', keyBits, [extent], 'private')
    const starts = b.alloc('starts', 'i32', [passes, count], 'private')
    const order = [0, 1].map(i => b.alloc(`order${i}`, 'i32', [passes > i + 1 ? extent : 1], 'private'))
    b.for('i', extent, i => {
      const key = keyOf(x.at(...at(i)))
      b.store(keys, [i], descending ? unary('not', key) : key)
    })
    b.forAll([passes, count], place => b.store(starts, place, i32(0)), 'd')
    b.for('i', extent, i => {
      const key = b.let('key', keys.at(i))
      for (let pass = 0; pass < passes; pass++) b.accumulate(starts, [pass, digit(key, pass)], 'sum', i32(1))
    })
    b.for('pass', passes, pass => {
      const total = b.alloc('total', 'i32', [])
      b.store(total, [], i32(0))
      b.for('d', count, d => {
        const here = b.let('here', starts.at(pass, d))
        b.store(starts, [pass, d], total.at())
        b.accumulate(total, [], 'sum', here)
      })
    })
    for (let pass = 0; pass < passes; pass++)
      b.for('i', extent, i => {
        const from = pass === 0 ? undefined : order[(pass - 1) % 2]
        const source = from === undefined ? indexScalar(i) : b.let('source', from.at(i))
        const place = digit(from === undefined ? keys.at(i) : keys.at(fromScalar(source)), pass)
        const to = b.let('to', starts.at(pass, place))
        b.store(starts, [pass, place], binary('add', to, i32(1)))
        const target = order[pass % 2]
        if (pass < passes - 1 && target !== undefined) return b.store(target, [fromScalar(to)], source)
        const put = fromScalar(to)
        b.store(values, at(put), x.at(...at(fromScalar(source))))
        b.store(positions, at(put), cast(source, positions.type.dtype))
      })
  })
}
