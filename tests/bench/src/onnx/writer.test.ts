import { InferenceSession, Tensor } from 'onnxruntime-node'
import { expect, test } from 'vitest'
import { onnxGraph } from './writer.ts'

test('onnxruntime reads what is written: inputs, weights, attributes of every kind, several results', async () => {
  const g = onnxGraph()
  const x = g.input('x', [2, 300]),
    at = g.input('at', [1], 'i32')
  const scaled = g.op('Mul', [x, g.weight('w', [300], new Float32Array(300).fill(-2))])
  const [low = '', high = ''] = g.ops('Split', [scaled], 2, { axis: 1, num_outputs: 2 })
  const leaky = g.op('LeakyRelu', [g.op('Sub', [low, high])], { alpha: { float: 0.5 } })
  const row = g.op('Gather', [g.op('Transpose', [leaky], { perm: [1, 0] }), at])
  g.output('y', g.op('Gelu', [g.op('Reshape', [row, g.integers([-1])])], { approximate: 'tanh' }), [2])
  const session = await InferenceSession.create(g.bytes())
  const data = Float32Array.from({ length: 600 }, (_, i) => (i % 300 < 150 ? 1 : 0) * (i < 300 ? 1 : -1))
  const { y } = await session.run({
    x: new Tensor('float32', data, [2, 300]),
    at: new Tensor('int32', Int32Array.of(149), [1]),
  })
  const gelu = (v: number): number => v * 0.5 * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (v + 0.044715 * v ** 3)))
  const [a = NaN, b = NaN] = (y?.data ?? []) as Float32Array
  // Rows of 1 and -1 times -2, less zero: -2 leaks to -1, and 2 stays.
  expect(a).toBeCloseTo(gelu(-1), 6)
  expect(b).toBeCloseTo(gelu(2), 6)
})
