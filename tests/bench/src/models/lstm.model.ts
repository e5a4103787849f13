/** @file An LSTM over a sequence: one product for the inputs of all steps, then a loop over the steps. */
import {
  type Tensor,
  add,
  append,
  constant,
  gather,
  loop,
  model,
  mul,
  nn,
  reshape,
  split,
  tanh,
  tensor,
  zeros,
} from '@quern/model'
import { lstm, lstmParameters } from '../networks/lstm.ts'
import { seededWeights, weightOf } from '../networks/weights.ts'

const { width, steps } = lstm
const weights = seededWeights(lstmParameters)
const matrix = (name: string) => constant(weightOf(weights, name).data, 'f32', [4 * width, width])
const recurrent = matrix('recurrent')

export default model({ x: tensor('f32', [steps, width]) }, ({ x }) => {
  const given = nn.linear(x, { weight: matrix('input'), bias: constant(weightOf(weights, 'bias').data, 'f32') })
  const start: Record<'h' | 'c' | 'y', Tensor<'f32'>> = {
    h: zeros([1, width]),
    c: zeros([1, width]),
    y: zeros([steps, width]),
  }
  const { y } = loop(start, steps, ({ h, c, y: sofar }, step) => {
    const gates = add(gather(given, reshape(step, [1])), nn.linear(h, { weight: recurrent }))
    const [input, forget, cell, output] = split(gates, [width, width, width, width], 1) as [
      Tensor<'f32'>,
      Tensor<'f32'>,
      Tensor<'f32'>,
      Tensor<'f32'>,
    ]
    const next = add(mul(nn.sigmoid(forget), c), mul(nn.sigmoid(input), tanh(cell)))
    const out = mul(nn.sigmoid(output), tanh(next))
    return { h: out, c: next, y: append(sofar, out, step) }
  })
  return { y }
})
