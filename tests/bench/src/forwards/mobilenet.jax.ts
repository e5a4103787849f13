/** @file MobileNetV2 in jax-js, batch norms folded. */
import { blocks } from '../networks/mobilenet.ts'
import type { Form, Jax, JaxArray } from '../workloads/workload.ts'

export const mobilenetJax: Form<Jax, JaxArray>['build'] =
  ({ lax, nn, numpy: np }) =>
  (inputs, w) => {
    let x: JaxArray = inputs['x']!
    for (const block of blocks) {
      const before = block.residual ? x.ref : undefined
      for (const { name, stride, kernel, from, to, depthwise, clipped } of block.layers) {
        const pad = kernel >> 1
        const pads: [number, number][] = [
          [pad, pad],
          [pad, pad],
        ]
        const y = lax
          .convGeneralDilated(x, w[`${name}.weight`]!, [stride, stride], pads, {
            featureGroupCount: depthwise ? from : 1,
          })
          .add(w[`${name}.bias`]!.reshape([1, to, 1, 1]))
        x = clipped ? nn.relu6(y) : y
      }
      if (before !== undefined) x = x.add(before)
    }
    const features = np.mean(x, [2, 3])
    return [np.matmul(features, w['classifier.weight']!.transpose()).add(w['classifier.bias']!)]
  }
