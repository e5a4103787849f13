/** @file The arrays that a caller gives for outputs and states have the right size. */
import { type HostArray, type Manifest, type Port, QuernError, arrayOf, bytesOf } from '@quern/artifact'

const sizeOf = (shape: readonly number[]): number => shape.reduce((p, d) => p * d, 1)

export const checkInto = (port: Port, shape: readonly number[], into: HostArray): void => {
  const size = sizeOf(shape)
  if (into.length !== size)
    throw new QuernError(
      'output/size',
      `the output ${port.name} is ${port.dtype}[${shape.join(', ')}]: \`into\` takes a ${arrayOf[port.dtype].name} of ${size} elements, and one of ${into.length} was given`,
      { output: port.name, expected: size, found: into.length },
    )
}

export const checkState = ({ name, dtype, shape }: Manifest['states'][number], data: HostArray): void => {
  const size = sizeOf(shape)
  if (data.length !== size || data.BYTES_PER_ELEMENT !== bytesOf[dtype])
    throw new QuernError(
      'state/size',
      `the state ${name} is ${dtype}[${shape.join(', ')}]: it takes a ${arrayOf[dtype].name} of ${size} elements, and ${data.length} were given`,
      { state: name, expected: size, found: data.length },
    )
}
