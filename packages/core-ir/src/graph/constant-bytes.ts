/** @file The bytes of an inline constant. */
import { type DType, QuernError, arrayOf } from '@quern/artifact'
import { bytesOfArray, elementCount } from '../host-tensor.ts'
import { elementsOf } from '../loop/memory.ts'
import { literalValue } from '../scalar/evaluate.ts'
import type { ConstantData } from './graph.ts'

/** Row-major; each value converted to the dtype. One value alone fills the whole shape. */
export const constantBytes = (
  data: Extract<ConstantData, { kind: 'inline' }>,
  dtype: DType,
  shape: readonly number[],
): Uint8Array<ArrayBuffer> => {
  const count = elementCount(shape)
  const { values } = data
  if (values.length !== count && values.length !== 1)
    throw new QuernError(
      'constant/wrong-length',
      `${dtype}[${shape.join(',')}] has ${count} elements, and ${values.length} were given`,
      {
        dtype,
        shape: [...shape],
        values: values.length,
      },
    )
  const array = new arrayOf[dtype](count)
  const elements = elementsOf(dtype, array)
  for (let i = 0; i < count; i++) elements.set(i, literalValue(dtype, values[values.length === 1 ? 0 : i] ?? 0))
  return bytesOfArray(array)
}
