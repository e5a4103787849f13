/** @file Matrix products: squares of two matrices known at run time, and two layers, whose right side is a weight. */
import { elements, seeded } from '../networks/weights.ts'
import { onnxGraph } from '../onnx/writer.ts'
import type { Workload } from './workload.ts'

const product = (m: number, k: number, n: number, kind: 'square' | 'layer'): Workload => {
  const name = kind === 'square' ? `matmul-${m}` : `matmul-${m}x${k}x${n}`
  const a = [m, k],
    b = [k, n]
  const right = () => ({ b: { shape: b, data: seeded(`${name}.b`, elements(b)) } })
  const left = () => ({ a: { shape: a, data: seeded(`${name}.a`, elements(a)) } })
  return {
    name,
    group: 'matmul',
    title: kind === 'square' ? `matmul ${m}³` : `matmul ${m} × ${k} × ${n}, constant right side`,
    cost: { kind: 'flops', amount: 2 * m * k * n },
    tolerance: 1e-5,
    inputs: () => (kind === 'square' ? { ...left(), ...right() } : left()),
    weights: () => (kind === 'square' ? {} : right()),
    output: [m, n],
    onnx: weights => {
      const g = onnxGraph()
      const rhs = kind === 'square' ? g.input('b', b) : g.weight('b', b, weights['b']!.data)
      g.output('y', g.op('MatMul', [g.input('a', a), rhs]), [m, n])
      return g.bytes()
    },
    tfjs: {
      build: tf => (inputs, weights) => [tf.matMul(inputs['a']! as never, (inputs['b'] ?? weights['b'])! as never)],
    },
    jax: {
      build:
        ({ numpy: np }) =>
        (inputs, weights) => [np.matmul(inputs['a']!, (inputs['b'] ?? weights['b'])!)],
    },
  }
}

export const matmul: readonly Workload[] = [
  product(256, 256, 256, 'square'),
  product(512, 512, 512, 'square'),
  product(1024, 1024, 1024, 'square'),
  product(1, 1024, 4096, 'layer'),
  product(128, 384, 1536, 'layer'),
]
