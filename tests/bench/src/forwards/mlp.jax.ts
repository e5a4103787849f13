/** @file The perceptron in jax-js. Weights are [out, in]. */
import type { Form, Jax, JaxArray } from '../workloads/workload.ts'

export const mlpJax: Form<Jax, JaxArray>['build'] =
  ({ nn, numpy: np }) =>
  (inputs, w) => {
    const hidden = nn.relu(np.matmul(inputs['x']!, w['fc1.weight']!.transpose()).add(w['fc1.bias']!))
    return [nn.softmax(np.matmul(hidden, w['fc2.weight']!.transpose()).add(w['fc2.bias']!), -1)]
  }
