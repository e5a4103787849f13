/** @file Runs an op's loop-language semantics in the loop interpreter. */
import { type HostArray, QuernError } from '@quern/artifact'
import { type HostTensor, elementCount, zeros } from '../host-tensor.ts'
import { evaluateIndex, toIndex } from '../index/index-expr.ts'
import { LoopBuilder } from '../loop/builder.ts'
import { interpretKernel } from '../loop/interpret.ts'
import type { Kernel, Param } from '../loop/kernel.ts'
import { elementsOf } from '../loop/memory.ts'
import type { LoopBuffer } from '../ops/define-op.ts'
import { bindOperands } from '../ops/operands.ts'
import { load } from '../scalar/scalar.ts'
import type { Symbols, TensorType } from './graph.ts'
import type { OpRun } from './interpret-compute.ts'

export const runLoops = (run: OpRun, table: Symbols): readonly HostTensor[] => {
  const { op, types, symbols } = run
  const defined = op.defines?.(types) ?? []
  // Until the op has run, the symbols that it defines stand at their upper bounds.
  const env = new Map(symbols)
  for (const { symbol } of defined) {
    const upper = table.get(symbol)?.upper
    if (upper === undefined)
      throw new QuernError(
        'graph/unbounded-symbol',
        `the symbol ${symbol} that ${op.name} defines has no upper bound`,
        { symbol },
      )
    env.set(symbol, evaluateIndex(upper, symbols))
  }
  const results = types.map(t =>
    zeros(
      t.dtype,
      t.shape.map(d => evaluateIndex(d, env)),
    ),
  )
  execute(run, results, env)
  for (const { symbol, from } of defined) {
    const count = results[from]
    if (count === undefined) throw new RangeError(`${op.name} has no result ${from}`)
    symbols.set(symbol, Number(elementsOf(count.dtype, count.data).get(0)))
  }
  return defined.length === 0
    ? results
    : results.map((r, i) => prefix(r, types[i]?.shape.map(d => evaluateIndex(d, symbols)) ?? []))
}

const prefix = (t: HostTensor, shape: readonly number[]): HostTensor => ({
  dtype: t.dtype,
  shape,
  data: t.data.slice(0, elementCount(shape)),
})

const execute = (
  { op, node, operands }: OpRun,
  results: readonly HostTensor[],
  symbols: ReadonlyMap<string, number>,
): void => {
  const inputs = node.operands.map((v, i) => v && bufferOf(`in${i}`, v.type))
  const outputs = node.results.map((r, i) => bufferOf(`out${i}`, r.type))
  const b = new LoopBuilder([
    ...symbols.keys(),
    ...inputs.flatMap(x => (x === undefined ? [] : [x.name])),
    ...outputs.map(x => x.name),
  ])
  op.loops?.(b, bindOperands(op, inputs), outputs, node.attrs)
  const buffers: Record<string, HostArray> = {}
  operands.forEach((t, i) => t && (buffers[`in${i}`] = t.data))
  results.forEach((t, i) => (buffers[`out${i}`] = t.data))
  const kernel: Kernel = {
    name: op.name,
    symbols: [...symbols.keys()].map(name => ({ name, min: 0, max: undefined })),
    params: [
      ...inputs.filter(x => x !== undefined).map(x => paramOf(x, 'read')),
      ...outputs.map(x => paramOf(x, 'read_write')),
    ],
    body: b.finish(),
    origins: [],
  }
  const { status } = interpretKernel(kernel, { buffers, symbols: Object.fromEntries(symbols) }, { checkRaces: false })
  if (status.reason !== 'ok')
    throw new QuernError(`run/${status.reason}`, `${op.name} failed: ${status.reason} at ${status.index}`, {
      op: op.name,
      index: status.index,
    })
}

const bufferOf = (name: string, type: TensorType): LoopBuffer => ({
  name,
  type,
  at: (...indices) => load(name, type.dtype, indices.map(toIndex)),
})
const paramOf = (b: LoopBuffer, access: Param['access']): Param => ({
  name: b.name,
  dtype: b.type.dtype,
  shape: b.type.shape,
  access,
})
