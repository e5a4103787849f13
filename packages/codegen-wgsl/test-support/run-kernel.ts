/** @file Runs one kernel on a device, through a plan of one step and the runtime's own executor. */
import type { HostArray, Manifest } from '@quern/artifact'
import { type Kernel, type LoweredProgram, type PlanBuffer, ix, rowMajor } from '@quern/core-ir'
import { webgpuExecutor } from '../../runtime/src/webgpu/executor.ts'
import { type WgslOptions, emitWgsl } from '../src/emit-wgsl.ts'

export interface KernelRun {
  /** Contents of every param's array after the run. */
  readonly buffers: Readonly<Record<string, HostArray>>
  readonly status: string
  readonly dispatches: number
  readonly submits: number
  readonly code: string
}

/** Every param is an input and an output in the same memory, so what the kernel left alone is compared too. */
const programOf = (kernel: Kernel, buffers: Readonly<Record<string, HostArray>>): LoweredProgram => {
  const plan: PlanBuffer[] = kernel.params.flatMap(({ name, dtype }): PlanBuffer[] => {
    const shape = [ix.constant(buffers[name]?.length ?? 0)]
    const common = { dtype, shape, layout: rowMajor(shape) }
    return [
      { ...common, name, kind: 'input', port: name },
      { ...common, name: `${name} after`, kind: 'output', port: name, aliasOf: name },
    ]
  })
  const symbols = kernel.symbols.map(s => ({ ...s, multipleOf: 1 }))
  return {
    name: 'test',
    kernels: new Map([[kernel.name, kernel]]),
    plans: [
      {
        entry: 'main',
        symbols,
        buffers: plan,
        steps: [{ kind: 'kernel', kernel: kernel.name, args: kernel.params.map(p => p.name) }],
        memory: undefined,
      },
    ],
  }
}

export const manifestOf = (emitted: ReturnType<typeof emitWgsl>): Manifest => ({
  format: 1,
  name: 'test',
  target: 'webgpu',
  variant: 'plain',
  symbols: {},
  entries: Object.fromEntries(
    Object.entries(emitted.entries).map(([name, e]) => [
      name,
      { inputs: e.inputs, outputs: e.outputs, predictedMs: 0, webgpu: e.webgpu },
    ]),
  ),
  states: emitted.states.map(({ name, dtype, shape, at, init }) => ({
    name,
    dtype,
    shape,
    at,
    ...(init === undefined ? {} : { init }),
  })),
  code: { file: 'code', bytes: 0, sha256: [] },
  features: emitted.features,
  kernels: emitted.kernels,
})
export const codeOf = (emitted: ReturnType<typeof emitWgsl>): Uint8Array =>
  new TextEncoder().encode(JSON.stringify(emitted.shaders))

export const runKernel = async (
  device: GPUDevice,
  kernel: Kernel,
  buffers: Readonly<Record<string, HostArray>>,
  symbols: Readonly<Record<string, number>> = {},
  options: WgslOptions = { features: { f16: false, subgroups: false } },
): Promise<KernelRun> => {
  const emitted = emitWgsl(programOf(kernel, buffers), options)
  const executor = await webgpuExecutor(device, manifestOf(emitted), codeOf(emitted), new Uint8Array())
  try {
    let status = 'ok'
    const inputs = kernel.params.map(p => buffers[p.name] ?? new Float32Array())
    const outputs = await executor
      .run({ entry: 'main', inputs, symbols: { ...symbols }, into: [], outputs: 'cpu' })
      .catch((error: unknown) => {
        status = String(error)
        return []
      })
    const after = Object.fromEntries(
      outputs.flatMap((o, i) => ('data' in o ? [[kernel.params[i]?.name ?? '', o.data]] : [])),
    )
    const { dispatches, submits } = executor.stats()
    return { buffers: after, status, dispatches, submits, code: emitted.shaders.map(s => s.code).join('\n') }
  } finally {
    await executor.dispose(Promise.resolve())
  }
}
