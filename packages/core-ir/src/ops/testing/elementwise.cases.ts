/** @file Random cases of the element-wise ops. */
import { type BinaryOp, type UnaryOp, binaryOps, isFloat, unaryOps } from '../../scalar/scalar-ops.ts'
import type { HostTensor } from '../../host-tensor.ts'
import type { Property } from './draw.ts'
import {
  binaryReference,
  castReference,
  geluReference,
  geluTanhReference,
  reluReference,
  selectReference,
  siluReference,
  unaryReference,
} from './elementwise.reference.ts'
import { numbersOf, tensorOf } from './support.ts'

const positive = (t: HostTensor): HostTensor => tensorOf(t.dtype, t.shape, i => Math.abs(numbersOf(t)[i] ?? 0) + 0.01)

export const elementwiseCases: Readonly<Record<string, Property>> = {
  ...Object.fromEntries(
    (Object.keys(unaryOps) as UnaryOp[]).map((op): [string, Property] => [
      op,
      d => {
        const x = d.tensor(d.dtypeFor(unaryOps[op].accepts), d.shape())
        return { operands: [x], expected: unaryReference(op, x) }
      },
    ]),
  ),
  ...Object.fromEntries(
    (Object.keys(binaryOps) as BinaryOp[]).map((op): [string, Property] => [
      op,
      d => {
        const dtype = d.dtypeFor(binaryOps[op].accepts),
          shape = d.shape()
        const x = d.tensor(dtype, shape),
          y = d.tensor(dtype, shape)
        const base = op === 'pow' ? positive(x) : x
        return { operands: [base, y], expected: binaryReference(op, base, y) }
      },
    ]),
  ),
  relu: d => {
    const x = d.tensor(d.number(), d.shape())
    return { operands: [x], expected: reluReference(x) }
  },
  silu: d => {
    const x = d.tensor(d.float(), d.shape())
    return { operands: [x], expected: siluReference(x) }
  },
  gelu: d => {
    const x = d.tensor(d.float(), d.shape()),
      approximate = d.of('none', 'tanh')
    return {
      operands: [x],
      attrs: { approximate },
      expected: approximate === 'tanh' ? geluTanhReference(x) : geluReference(x),
    }
  },
  select: d => {
    const shape = d.shape(),
      dtype = d.dtypeFor('any')
    const c = d.tensor('bool', shape),
      x = d.tensor(dtype, shape),
      y = d.tensor(dtype, shape)
    return { operands: [c, x, y], expected: selectReference(c, x, y) }
  },
  cast: d => {
    const x = d.tensor(d.dtypeFor('any'), d.shape()),
      dtype = d.dtypeFor('any')
    const numbers = numbersOf(x),
      power = d.int(0, 12)
    const scaled = isFloat(x.dtype)
      ? tensorOf(x.dtype, x.shape, i => (numbers[i] ?? 0) * 10 ** ((i * 5) % (power + 1)))
      : x
    return { operands: [scaled], attrs: { dtype }, expected: castReference(scaled, dtype) }
  },
}
