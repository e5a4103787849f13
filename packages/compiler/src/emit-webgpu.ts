/** @file The WebGPU back end of the pipeline. */
import { emitWgsl } from '@quern/codegen-wgsl'
import { webgpuTarget } from '@quern/loop-opt'
import type { BackEnd } from './back-end.ts'

export const webgpuBackEnd: BackEnd = {
  info: ({ f16 = false }) => webgpuTarget({ f16 }),
  emitter:
    () =>
    (lowered, { states }, { f16 = false, onStage }) => {
      const { shaders, entries, ...emitted } = emitWgsl(lowered, { features: { f16, subgroups: false }, states })
      onStage?.('wgsl', shaders.map(s => s.code).join('\n\n'))
      return Promise.resolve({
        ...emitted,
        target: 'webgpu',
        variant: f16 ? 'f16' : 'plain',
        endings: { code: 'wgsl.json', weights: 'gpu.weights' },
        code: new TextEncoder().encode(JSON.stringify(shaders)),
        entries,
      })
    },
}
