/** @file Every op, one line each. */
import { QuernError } from '@quern/artifact'
import { type AnyOp, erase } from './define-op.ts'
import { matmul } from './matmul.ts'

export const ops: ReadonlyMap<string, AnyOp> = new Map([
  erase(matmul),
].map(op => [op.name, op]))

export const opNamed = (name: string): AnyOp => {
  const op = ops.get(name)
  if (op === undefined) throw new QuernError('graph/unknown-op', `there is no op named ${name}`, { op: name })
  return op
}
