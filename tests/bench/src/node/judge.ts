/** @file onnxruntime-node: what is right, and what native code would take. */
import { InferenceSession, Tensor } from 'onnxruntime-node'
import { medianOf } from '../page/measure.ts'
import type { Workload } from '../workloads/workload.ts'

const runs = 12

export const judge = async (
  file: string,
  workload: Workload,
): Promise<{ readonly output: Float32Array; readonly ms: number }> => {
  const session = await InferenceSession.create(file, {
    intraOpNumThreads: 1,
    interOpNumThreads: 1,
    executionProviders: ['cpu'],
  })
  try {
    const feeds = Object.fromEntries(
      Object.entries(workload.inputs()).map(([name, { data, shape }]) => [
        name,
        data instanceof Float32Array ? new Tensor('float32', data, shape) : new Tensor('int32', data, shape),
      ]),
    )
    const times: number[] = []
    let output: Float32Array | undefined
    for (let i = 0; i < runs; i++) {
      const start = performance.now()
      const { y } = await session.run(feeds)
      times.push(performance.now() - start)
      output = y?.data as Float32Array
    }
    if (output === undefined) throw new Error(`${workload.name}: the model has no output y`)
    if (output.some(v => !Number.isFinite(v))) throw new Error(`${workload.name}: the judge's output is not finite`)
    return { output, ms: medianOf(times.slice(2)) }
  } finally {
    await session.release()
  }
}
