/** @file Runs index notation: each element of a result on its own. */
import { QuernError } from '@quern/artifact'
import { type HostTensor, zeros } from '../host-tensor.ts'
import { evaluateIndex, toIndex, variable } from '../index/index-expr.ts'
import { elementsOf } from '../loop/memory.ts'
import type { AnyOp, Operand } from '../ops/define-op.ts'
import { operandOf } from '../ops/operand-access.ts'
import { bindOperands } from '../ops/operands.ts'
import { type ScalarResolver, compileScalar, literalValue } from '../scalar/evaluate.ts'
import { load } from '../scalar/scalar.ts'
import type { Node, TensorType } from './graph.ts'

export interface OpRun {
  readonly op: AnyOp
  readonly node: Node
  readonly operands: readonly (HostTensor | undefined)[]
  readonly types: readonly TensorType[]
  readonly symbols: Map<string, number>
}

export const runCompute = ({ op, node, operands, types, symbols }: OpRun, result: number): HostTensor => {
  const type = types[result]
  if (op.compute === undefined || type === undefined) throw new RangeError(`${op.name} computes no result ${result}`)
  const shape = type.shape.map(d => evaluateIndex(d, symbols))
  const out = zeros(type.dtype, shape)
  const elements = elementsOf(type.dtype, out.data)
  const count = out.data.length
  if (count === 0) return out

  const cells = shape.map(() => ({ at: 0 }))
  const access = node.operands.map((v, i) => v && operand(`${i}`, v.type))
  const scalar = op.compute(
    shape.map((_, i) => variable(`$o${i}`)),
    bindOperands(op, access),
    node.attrs,
    result,
  )
  const element = compileScalar(
    scalar,
    resolver(op.name, operands, symbols, new Map(cells.map((c, i) => [`$o${i}`, c]))),
  )
  const innermost = cells.at(-1),
    extent = shape.at(-1) ?? 1
  for (let i = 0; i < count;) {
    for (let k = 0; k < extent; k++, i++) {
      if (innermost !== undefined) innermost.at = k
      elements.set(i, element())
    }
    for (let d = shape.length - 2; d >= 0; d--) {
      const cell = cells[d]
      if (cell === undefined || ++cell.at < (shape[d] ?? 0)) break
      cell.at = 0
    }
  }
  return out
}

/** A constant to fall back on needs no guard in the expression: the load itself looks whether it is inside. */
const operand = (buffer: string, type: TensorType): Operand => {
  const guarded = operandOf(buffer, type)
  return {
    ...guarded,
    atOr: (indices, fill) =>
      fill.kind === 'const' && !Object.is(fill.value, -0)
        ? load(`${buffer} or ${fill.value}`, type.dtype, indices.map(toIndex))
        : guarded.atOr(indices, fill),
  }
}

const resolver = (
  op: string,
  operands: readonly (HostTensor | undefined)[],
  symbols: ReadonlyMap<string, number>,
  axes: ReadonlyMap<string, { readonly at: number }>,
): ScalarResolver => ({
  variable: name => {
    const cell = axes.get(name)
    if (cell !== undefined) return () => cell.at
    const value = symbols.get(name)
    if (value === undefined)
      throw new QuernError('graph/unknown-symbol', `the symbol ${name} has no value`, { symbol: name })
    return () => value
  },
  ref: name => {
    throw new TypeError(`index notation has no let, and names ${name}`)
  },
  load: (name, dtype) => {
    const [buffer = '', fill] = name.split(' or ')
    const outside =
      fill === undefined
        ? undefined
        : literalValue(dtype, dtype.endsWith('64') && dtype !== 'f64' ? BigInt(fill) : Number(fill))
    const tensor = operands[Number(buffer)]
    if (tensor === undefined) throw new RangeError(`${op} has no operand ${buffer}`)
    const { get } = elementsOf(tensor.dtype, tensor.data)
    const { shape } = tensor
    return indices => {
      let at = 0
      for (let d = 0; d < shape.length; d++) {
        const i = indices[d] ?? 0,
          extent = shape[d] ?? 0
        if (i >= 0 && i < extent) {
          at = at * extent + i
          continue
        }
        if (outside !== undefined) return outside
        throw new QuernError(
          'graph/read-outside',
          `${op} reads [${indices.join(', ')}] of operand ${buffer}, which is [${shape.join(', ')}]`,
          { op },
        )
      }
      return get(at)
    }
  },
})
