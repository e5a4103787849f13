/** @file What `jit` is asked for and cannot do is refused in words, before anything is compiled. */
import { model, mul, tensor } from '@quern/model'
import { describe, expect, it } from 'vitest'
import { type JitOptions, jit } from './jit.ts'

const double = model({ x: tensor('f32', [64]) }, ({ x }) => ({ y: mul(x, 2) }))

describe('jit', () => {
  it.each<[object, string, RegExp]>([
    [{ device: 'tpu' }, 'option/wrong', /the option device must be one of auto, wasm, webgpu, not "tpu"/],
    [{ targets: ['wsm'] }, 'model/option-value', /jit has no target "wsm": did you mean wasm\?/],
    [{ targets: ['toString'] }, 'model/option-value', /there are wasm, webgpu/],
    [{ targets: [] }, 'model/option-value', /a list of targets, like \['wasm', 'webgpu'\]/],
    [{ targets: 'wasm' }, 'model/option-value', /a list of targets/],
    [{ numerics: 'fast' }, 'model/option-value', /jit has no numerics "fast"/],
    [{ maxMemory: '1 GB' }, 'model/option-value', /a number of bytes as its option maxMemory/],
    [{ divice: 'wasm' }, 'option/unknown-name', /the nearest of .* is device/],
    [{ thread: 'main' }, 'option/wrong', /one of auto, caller, worker/],
    [{ threads: 'x' }, 'option/wrong', /a whole number above 0/],
  ])('refuses %j', async (options, code, says) => {
    let stages = 0
    const asked = { ...options, onStage: () => void stages++ } as JitOptions
    await expect(jit(double, asked)).rejects.toMatchObject({ code, message: expect.stringMatching(says) })
    expect(stages).toBe(0)
  })
  it('refuses what is no model', async () => {
    await expect(jit({} as typeof double)).rejects.toMatchObject({ code: 'model/not-a-model' })
  })
  it('takes schedules as the stage prints them', async () => {
    const stages = new Map<string, string>()
    const options = { device: 'wasm', onStage: (name: string, text: string) => void stages.set(name, text) } as const
    await jit(double, options)
    const [kernel] = /^\w+/.exec(stages.get('schedule') ?? '') ?? []
    expect(stages.get('wat')).toContain('v128.store')
    const net = await jit(double, { ...options, schedules: `${kernel}:\n` })
    expect(stages.get('wat')).not.toContain('v128.store')
    expect((await net.run({ x: new Float32Array(64).fill(3) })).y.data).toEqual(new Float32Array(64).fill(6))
  })
})
