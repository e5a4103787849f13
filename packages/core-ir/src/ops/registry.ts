/** @file Every op, one line each. */
import { QuernError } from '@quern/artifact'
import { argmax, argmin } from './arg-reductions.ts'
import { broadcast } from './broadcast.ts'
import { cast } from './cast.ts'
import { constant } from './constant.ts'
import { convTranspose } from './conv-transpose.ts'
import { conv } from './conv.ts'
import { type AnyOp, erase } from './define-op.ts'
import { dimValue } from './dim-value.ts'
import { elementwiseBinary } from './elementwise-binary.ts'
import { elementwiseUnary } from './elementwise-unary.ts'
import { identity } from './identity.ts'
import { iota } from './iota.ts'
import { matmul } from './matmul.ts'
import { maxPool, maxPoolIndex, maxUnpool, takePooled } from './max-pool.ts'
import { reductions } from './reductions.ts'
import { region } from './region.ts'
import { relu } from './relu.ts'
import { reshape } from './reshape.ts'
import { select } from './select.ts'
import { slice } from './slice.ts'
import { logSoftmax, softmax } from './softmax.ts'
import { stopGradient } from './stop-gradient.ts'
import { sumToOp } from './sum-to.ts'
import { transpose } from './transpose.ts'
import { unslice } from './unslice.ts'

export const ops: ReadonlyMap<string, AnyOp> = new Map(
  [
    erase(constant),
    erase(iota),
    erase(dimValue),

    ...elementwiseUnary,
    ...elementwiseBinary,
    erase(relu),
    erase(select),
    erase(cast),
    erase(identity),
    erase(stopGradient),

    erase(broadcast),
    erase(sumToOp),
    erase(reshape),
    erase(transpose),
    erase(slice),
    erase(unslice),

    ...reductions,
    erase(argmax),
    erase(argmin),
    erase(softmax),
    erase(logSoftmax),

    erase(matmul),
    erase(conv),
    erase(convTranspose),
    erase(maxPool),
    erase(maxPoolIndex),
    erase(maxUnpool),
    erase(takePooled),

    erase(region),
  ].map(op => [op.name, op]),
)

export const opNamed = (name: string): AnyOp => {
  const op = ops.get(name)
  if (op === undefined) throw new QuernError('graph/unknown-op', `there is no op named ${name}`, { op: name })
  return op
}
