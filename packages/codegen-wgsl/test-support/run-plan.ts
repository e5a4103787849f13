/** @file Loads a lowered program on a device, as the compiler and the runtime would. */
import type { HostArray, Manifest } from '@quern/artifact'
import { type LoweredProgram, type PlanBuffer, type StateDecl, constantBytes, ix, packConstant } from '@quern/core-ir'
import type { Executor } from '../../runtime/src/executor.ts'
import { webgpuExecutor } from '../../runtime/src/webgpu/executor.ts'
import { type WgslOptions, emitWgsl } from '../src/emit-wgsl.ts'
import { codeOf, manifestOf } from './run-kernel.ts'

export interface Loaded {
  readonly executor: Executor
  readonly manifest: Manifest
  readonly code: string
  run(
    inputs: Readonly<Record<string, HostArray>>,
    symbols?: Readonly<Record<string, number>>,
  ): Promise<Record<string, HostArray>>
}

const literalShape = (shape: PlanBuffer['shape']): number[] => shape.map(d => (ix.isConst(d) ? d.value : 0))

export const loadProgram = async (
  device: GPUDevice,
  program: LoweredProgram,
  states: readonly StateDecl[] = [],
  options: WgslOptions = { features: { f16: false, subgroups: false } },
): Promise<Loaded> => {
  const emitted = emitWgsl(program, { ...options, states })
  const weights = new Uint8Array(emitted.weightsBytes)
  for (const { buffer, at } of emitted.constants)
    if (buffer.data?.kind === 'inline') {
      const shape = literalShape(buffer.shape)
      weights.set(packConstant(constantBytes(buffer.data, buffer.dtype, shape), buffer.dtype, shape, buffer.layout), at)
    }
  for (const s of emitted.states)
    if (s.data?.kind === 'inline' && s.init !== undefined) weights.set(constantBytes(s.data, s.dtype, s.shape), s.init)
  const manifest = manifestOf(emitted)
  const executor = await webgpuExecutor(device, manifest, codeOf(emitted), weights)
  const [entry] = Object.keys(manifest.entries)
  return {
    executor,
    manifest,
    code: emitted.shaders.map(s => s.code).join('\n'),
    run: async (inputs, symbols = {}) => {
      const ports = manifest.entries[entry ?? '']
      const outputs = await executor.run({
        entry: entry ?? '',
        inputs: (ports?.inputs ?? []).map(p => inputs[p.name] ?? new Float32Array()),
        symbols: { ...symbols },
        into: [],
        outputs: 'cpu',
      })
      return Object.fromEntries(
        outputs.flatMap((o, i) => ('data' in o ? [[ports?.outputs[i]?.name ?? '', o.data]] : [])),
      )
    },
  }
}
