/** @file A network that is trained where it runs: parameters are states, `step` updates them in place, `predict` reads them. */
import { jit } from '@quern/jit'
import * as q from '@quern/model'
import { nn, random } from '@quern/model'
import { compile } from '@quern/compiler'
import { expect, it } from 'vitest'

const hidden = 16
const batch = 64

/** Two interleaved half-moons with a little noise, drawn from a key, so that they are the same on every machine. */
const moons = (key: random.Key) => {
  const angle = q.mul(random.uniform(key, [batch, 1]), Math.PI)
  const label = q.cast(q.equal(q.rem(q.iota([batch, 1]), 2), 1), 'f32')
  const side = q.sub(1, q.mul(label, 2))
  const points = q.concat(
    [q.add(q.mul(q.cos(angle), side), label), q.sub(q.mul(q.sin(angle), side), q.mul(label, -0.5))],
    1,
  )
  const noise = q.mul(random.normal(key, [batch, 2], { stream: 1 }), 0.08)
  return { points: q.add(points, noise), label }
}

const uniform = (seed: number, count: number, scale: number): number[] => {
  let state = seed
  return Array.from({ length: count }, () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return (state / 2 ** 31 - 1) * scale
  })
}

const w1 = q.state('w1', q.tensor('f32', [hidden, 2]), uniform(1, hidden * 2, 1))
const b1 = q.state('b1', q.tensor('f32', [hidden]))
const w2 = q.state('w2', q.tensor('f32', [1, hidden]), uniform(2, hidden, 0.5))
const b2 = q.state('b2', q.tensor('f32', [1]))
const weights = { first: { weight: w1.value, bias: b1.value }, second: { weight: w2.value, bias: b2.value } }

const logits = (w: typeof weights, points: q.Tensor<'f32'>) => nn.linear(nn.tanh(nn.linear(points, w.first)), w.second)

/** The logistic loss, in the form that does not overflow. */
const lossOf = (w: typeof weights, points: q.Tensor<'f32'>, label: q.Tensor<'f32'>) => {
  const z = logits(w, points)
  const soft = q.log(q.add(q.exp(q.neg(q.abs(z))), 1))
  return q.mean(q.add(q.sub(nn.relu(z), q.mul(z, label)), soft))
}

const net = q.program({
  step: q.entry({ key: q.tensor('u32', [2]), rate: q.tensor('f32', []) }, ({ key, rate }) => {
    const { points, label } = moons(key)
    const { value: loss, grad } = q.valueAndGrad(lossOf)(weights, points, label)
    return {
      loss,
      w1: w1.next(q.sub(w1.value, q.mul(grad.first.weight, rate))),
      b1: b1.next(q.sub(b1.value, q.mul(grad.first.bias, rate))),
      w2: w2.next(q.sub(w2.value, q.mul(grad.second.weight, rate))),
      b2: b2.next(q.sub(b2.value, q.mul(grad.second.bias, rate))),
    }
  }),
  predict: q.entry({ points: q.tensor('f32', [q.dim('n', { max: 4096 }), 2]) }, ({ points }) => ({
    probability: nn.sigmoid(logits(weights, points)),
  })),
  draw: q.entry({ key: q.tensor('u32', [2]) }, ({ key }) => moons(key)),
})

it('learns two half-moons', async () => {
  const loaded = await jit(net, { device: 'wasm', thread: 'caller' })
  try {
    const losses: number[] = []
    for (let i = 0; i < 400; i++) {
      const { loss } = await loaded.step.run({ key: Uint32Array.of(7, i), rate: Float32Array.of(0.5) })
      losses.push(loss.data[0] ?? NaN)
    }
    expect(losses[0]).toBeGreaterThan(0.4)
    const last = losses.slice(-20)
    expect(last.reduce((a, b) => a + b, 0) / last.length).toBeLessThan(0.1)
    // Points that no step has seen.
    const { points, label } = await loaded.draw.run({ key: Uint32Array.of(8, 0) })
    const { probability } = await loaded.predict.run({ points })
    const right = [...probability.data].filter((p, i) => p > 0.5 === (label.data[i] === 1)).length
    expect(right).toBeGreaterThanOrEqual(batch - 2)
    // Forgets what it has learnt.
    await loaded.state.reset()
    const { loss } = await loaded.step.run({ key: Uint32Array.of(7, 0), rate: Float32Array.of(0.5) })
    expect(loss.data[0]).toBe(losses[0])
  } finally {
    await loaded.dispose()
  }
}, 60_000)

it.each(['wasm', 'webgpu'] as const)('updates the states where they lie on %s', async target => {
  const stages = new Map<string, string>()
  await compile(q.programOf(net).graph, target, { onStage: (name, text) => stages.set(name, text) })
  const [step = ''] = (stages.get('plan') ?? '').split('plan predict')
  // The gradient of a weight and its update are one kernel, which writes the weight.
  for (const name of ['w1', 'b1', 'w2'])
    expect(step).toMatch(new RegExp(`kernel (matmul|sum_to)_mul_sub(_\\d)?\\(.*\\b${name}\\)`))
  // On WebGPU a kernel reads what holds one number as a scalar, and that one number is copied.
  expect(step.match(/copy.*/g) ?? []).toEqual(target === 'wasm' ? [] : [expect.stringMatching(/ -> b2$/)])
})
