/** @file A tensor in one line: its type and its first values. */
import type { Tensor } from '@quern/artifact'

const shown = 12

export const showTensor = ({ dtype, shape, data }: Tensor): string => {
  const first = Array.from({ length: Math.min(shown, data.length) }, (_, i) => data[i])
  const values = first.map(v =>
    typeof v === 'number' && !Number.isInteger(v) ? String(Number(v.toPrecision(7))) : String(v),
  )
  return `${dtype}[${shape.join(',')}] ${values.join(' ')}${data.length > shown ? ' …' : ''}`
}
