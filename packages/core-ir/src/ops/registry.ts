/** @file Every op, one line each. */
import { QuernError } from '@quern/artifact'
import { append } from './append.ts'
import { argmax, argmin } from './arg-reductions.ts'
import { avgPool } from './avg-pool.ts'
import { batchNorm } from './batch-norm.ts'
import { broadcast } from './broadcast.ts'
import { broadcastTo } from './broadcast-to.ts'
import { cast } from './cast.ts'
import { concat } from './concat.ts'
import { constant } from './constant.ts'
import { convTranspose } from './conv-transpose.ts'
import { conv } from './conv.ts'
import { cumsum } from './cumsum.ts'
import { type AnyOp, erase } from './define-op.ts'
import { dimValue } from './dim-value.ts'
import { elementwiseBinary } from './elementwise-binary.ts'
import { elementwiseUnary } from './elementwise-unary.ts'
import { gatherElements } from './gather-elements.ts'
import { gather } from './gather.ts'
import { gelu } from './gelu.ts'
import { grad } from './grad.ts'
import { identity } from './identity.ts'
import { ifOp } from './if.ts'
import { iota } from './iota.ts'
import { loop } from './loop.ts'
import { matmul } from './matmul.ts'
import { maxPoolIndex } from './max-pool-index.ts'
import { maxPool } from './max-pool.ts'
import { maxUnpool } from './max-unpool.ts'
import { nonzero } from './nonzero.ts'
import { layerNorm, rmsNorm } from './norms.ts'
import { pad } from './pad.ts'
import { randomBits } from './random-bits.ts'
import { randomNormal } from './random-normal.ts'
import { randomUniform } from './random-uniform.ts'
import { reductions } from './reductions.ts'
import { region } from './region.ts'
import { relu } from './relu.ts'
import { reshape } from './reshape.ts'
import { reshapeTo } from './reshape-to.ts'
import { scatterRows } from './scatter-rows.ts'
import { scatter } from './scatter.ts'
import { select } from './select.ts'
import { silu } from './silu.ts'
import { slice } from './slice.ts'
import { logSoftmax, softmax } from './softmax.ts'
import { sort } from './sort.ts'
import { sortFirst } from './sort-first.ts'
import { stopGradient } from './stop-gradient.ts'
import { sumToOp } from './sum-to.ts'
import { sumUnpool } from './sum-unpool.ts'
import { takePooled } from './take-pooled.ts'
import { takeRows } from './take-rows.ts'
import { topK } from './top-k.ts'
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
    erase(broadcastTo),
    erase(sumToOp),
    erase(reshape),
    erase(reshapeTo),
    erase(transpose),
    erase(slice),
    erase(unslice),
    erase(pad),
    erase(concat),
    erase(gather),
    erase(gatherElements),
    erase(scatter),
    erase(scatterRows),
    erase(append),
    erase(takeRows),

    ...reductions,
    erase(argmax),
    erase(argmin),
    erase(softmax),
    erase(logSoftmax),
    erase(layerNorm),
    erase(rmsNorm),
    erase(batchNorm),
    erase(gelu),
    erase(silu),
    erase(cumsum),
    erase(sort),
    erase(sortFirst),
    erase(topK),
    erase(nonzero),

    erase(matmul),
    erase(conv),
    erase(convTranspose),
    erase(maxPool),
    erase(maxPoolIndex),
    erase(maxUnpool),
    erase(takePooled),
    erase(avgPool),
    erase(sumUnpool),

    erase(randomBits),
    erase(randomUniform),
    erase(randomNormal),

    erase(ifOp),
    erase(loop),
    erase(grad),
    erase(region),
  ].map(op => [op.name, op]),
)

export const opNamed = (name: string): AnyOp => {
  const op = ops.get(name)
  if (op === undefined) throw new QuernError('graph/unknown-op', `there is no op named ${name}`, { op: name })
  return op
}
