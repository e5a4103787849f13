/** @file An LSTM of 128 units over 64 steps: small products that depend on each other. */
import { linearWeight } from '../networks/layouts.ts'
import { lstm as size, lstmParameters } from '../networks/lstm.ts'
import { type NumericArray, seeded, seededWeights, weightOf } from '../networks/weights.ts'
import { onnxGraph } from '../onnx/writer.ts'
import type { JaxArray, Workload } from './workload.ts'

const { width, steps } = size
const shape = [steps, width]

/** ONNX orders the gates: input, output, forget, cell. */
const inOnnxOrder = ({ shape: whole, data }: NumericArray): NumericArray => {
  const quarter = data.length / 4
  const out = new Float32Array(data.length)
  ;[0, 3, 1, 2].forEach((from, to) => out.set(data.subarray(from * quarter, (from + 1) * quarter), to * quarter))
  return { shape: whole, data: out }
}

export const lstm: Workload = {
  name: 'lstm',
  group: 'models',
  title: 'LSTM 128 × 64 steps',
  cost: { kind: 'flops', amount: 2 * steps * 2 * 4 * width * width },
  tolerance: 1e-4,
  inputs: () => ({ x: { shape, data: seeded('lstm.x', steps * width) } }),
  weights: () => seededWeights(lstmParameters),
  output: shape,
  onnx: weights => {
    const g = onnxGraph()
    const [w, r, b] = ['input', 'recurrent', 'bias'].map(n => inOnnxOrder(weightOf(weights, n))) as [
      NumericArray,
      NumericArray,
      NumericArray,
    ]
    const both = new Float32Array(8 * width)
    both.set(b.data)
    const x = g.op('Reshape', [g.input('x', shape), g.integers([steps, 1, width])])
    const y = g.op(
      'LSTM',
      [
        x,
        g.weight('w', [1, 4 * width, width], w.data),
        g.weight('r', [1, 4 * width, width], r.data),
        g.weight('b', [1, 8 * width], both),
      ],
      { hidden_size: width },
    )
    g.output('y', g.op('Reshape', [y, g.integers(shape)]), shape)
    return g.bytes()
  },
  tfjs: {
    weights: weights => ({
      input: linearWeight(weightOf(weights, 'input')),
      recurrent: linearWeight(weightOf(weights, 'recurrent')),
      bias: weightOf(weights, 'bias'),
    }),
    build: tf => (inputs, w) => {
      type T = (typeof w)[string]
      const given = tf.split(tf.fused.matMul({ a: inputs['x']!, b: w['input']!, bias: w['bias']! }), steps)
      let h: T = tf.zeros([1, width]),
        c: T = tf.zeros([1, width])
      const outputs: T[] = []
      for (const at of given) {
        const [i, f, g, o] = tf.split(tf.add(at, tf.matMul(h, w['recurrent']!)), 4, 1) as [T, T, T, T]
        c = tf.add(tf.mul(tf.sigmoid(f), c), tf.mul(tf.sigmoid(i), tf.tanh(g)))
        h = tf.mul(tf.sigmoid(o), tf.tanh(c))
        outputs.push(h)
      }
      return [tf.concat(outputs)]
    },
  },
  jax: {
    weights: weights => ({
      input: linearWeight(weightOf(weights, 'input')),
      recurrent: linearWeight(weightOf(weights, 'recurrent')),
      bias: weightOf(weights, 'bias'),
    }),
    build:
      ({ nn, numpy: np }) =>
      (inputs, w) => {
        const given = np.split(np.matmul(inputs['x']!, w['input']!).add(w['bias']!), steps, 0)
        let h: JaxArray = np.zeros([1, width]),
          c: JaxArray = np.zeros([1, width])
        const outputs: JaxArray[] = []
        for (const at of given) {
          const [i, f, g, o] = np.split(at.add(np.matmul(h, w['recurrent']!.ref)), 4, 1) as [
            JaxArray,
            JaxArray,
            JaxArray,
            JaxArray,
          ]
          c = nn
            .sigmoid(f)
            .mul(c)
            .add(nn.sigmoid(i).mul(np.tanh(g)))
          h = nn.sigmoid(o).mul(np.tanh(c.ref))
          outputs.push(h.ref)
        }
        return [np.concatenate(outputs, 0)]
      },
  },
}
