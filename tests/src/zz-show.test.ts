import { GraphBuilder, ix, printKernel, tensorType, expandKernel } from '@quern/core-ir'
import { legalise, lowerProgram, webgpuTarget, printTrace } from '@quern/loop-opt'
import { formRegions } from '@quern/graph-opt'
import { defaultLimits, emitKernel } from '@quern/codegen-wgsl'
import { it } from 'vitest'
it('show', () => {
  const b = new GraphBuilder('g')
  b.declare({ name: 'n', min: 1, max: undefined, multipleOf: 1 })
  const y = b.one('relu', [b.one('matmul', [b.input('a', tensorType('f32', [512, 512])), b.input('b', tensorType('f32', [512, 512]))])])
  const graph = b.finish({ y })
  const target = webgpuTarget()
  const lowered = lowerProgram({ name: 'g', entries: new Map([['main', formRegions(graph, { maxBuffers: 7 })]]), states: [], sources: new Map() }, target)
  for (const [k, kernel] of lowered.kernels) {
    const l = expandKernel(legalise(kernel), { f16: 'via-f32' })
    console.log(printTrace(lowered.traces.get(k) ?? []) + '\n' + printKernel(l) + '\n' + emitKernel(l, { f16: false, limits: defaultLimits, index: 0 }).shader.code)
  }
})
