/** @file Plans on a software adapter, compared with the plan interpreter: constants, states, branches, loops, errors. */
import { type DType, type HostArray, QuernError, arrayOf, isQuernError } from '@quern/artifact'
import { type HostTensor, type LoweredProgram, interpretPlan, parseLowered } from '@quern/core-ir'
import { beforeAll, describe, expect, test } from 'vitest'
import { webgpuExecutor } from '../../runtime/src/webgpu/executor.ts'
import { type SoftwareGpu, softwareGpu } from '../test-support/dawn.ts'
import { type Loaded, loadProgram } from '../test-support/run-plan.ts'

const software: SoftwareGpu | undefined = await softwareGpu()
const tensor = (dtype: DType, shape: number[], values: readonly number[]): HostTensor => {
  const data: HostArray = new arrayOf[dtype](values.length)
  values.forEach((v, i) => {
    if (!(data instanceof BigInt64Array || data instanceof BigUint64Array)) data[i] = v
  })
  return { dtype, shape, data }
}
const count = (n: number): number[] => Array.from({ length: n }, (_, i) => (i * 7) % 11)
const thrown = async (work: Promise<unknown>): Promise<string> => {
  try {
    await work
    return 'nothing'
  } catch (error) {
    return isQuernError(error) ? error.code : String(error)
  }
}

const grid = (n: string, body: string): string =>
  `for workgroup.x g < (${n} + 31) // 32 { for thread.x t < 32 { if i32[32*g + t] < i32[${n}] { ${body} } } }`

describe.skipIf(software === undefined)('on the software adapter', () => {
  let device: GPUDevice
  beforeAll(() => {
    if (software === undefined) throw new Error('unreachable')
    device = software.device
  })
  const same = async (
    program: LoweredProgram,
    inputs: Readonly<Record<string, HostTensor>>,
    symbols: Readonly<Record<string, number>> = {},
  ): Promise<Loaded> => {
    const loaded = await loadProgram(device, program)
    const arrays = Object.fromEntries(Object.entries(inputs).map(([k, v]) => [k, v.data]))
    const expected = interpretPlan(program, 'main', inputs)
    const actual = await loaded.run(arrays, symbols)
    expect(actual, loaded.code).toEqual(
      Object.fromEntries(Object.entries(expected.outputs).map(([k, v]) => [k, v.data])),
    )
    return loaded
  }

  test('narrow constants are read from packed words, aligned or not', async () => {
    for (const dtype of ['u8', 'i8', 'i16', 'u16', 'bool'] as const) {
      const values = count(40).map(v => (dtype === 'bool' ? v % 2 : dtype.startsWith('i') ? v - 5 : v * 20))
      const program = parseLowered(`program p {
        kernel plain(read w: ${dtype}[5,8], read x: f32[5,8], write y: f32[5,8]) {
          for workgroup.x i < 5 { for thread.x j < 2 { for vector v < 4 {
            store y[i, 4*j + v] = x[i, 4*j + v] + f32(w[i, 4*j + v])
          } } }
        }
        kernel mixed(read w: ${dtype}[8,5], read y: f32[5,8], write z: f32[5,8]) {
          for workgroup.x i < 5 { for thread.x j < 8 { store z[i, j] = y[i, j] * f32(w[j, i]) } }
        }
        plan main {
          input x: f32[5,8]
          constant w: ${dtype}[5,8] data [${values.join(', ')}]
          constant c: ${dtype}[5,8] layout [d1,d0] in [8,5] data [${values.join(', ')}]
          scratch y: f32[5,8]
          output z: f32[5,8]
          steps { kernel plain(w, x, y)  kernel mixed(c, y, z) }
        }
      }`)
      const loaded = await same(program, { x: tensor('f32', [5, 8], count(40)) })
      expect(loaded.executor.stats()).toMatchObject({ dispatches: 2, submits: 1 })
      expect(
        loaded.manifest.entries['main']?.webgpu?.buffers.filter(b => b.kind === 'constant').map(b => b.bytes),
      ).toEqual(dtype.endsWith('16') ? [128, 128] : [64, 64])
      await loaded.executor.dispose(Promise.resolve())
    }
  })

  test('narrow inputs and outputs are widened and narrowed', async () => {
    for (const dtype of ['u8', 'i8', 'u16', 'i16', 'bool', 'f16'] as const) {
      const program = parseLowered(
        `program p {
        kernel pick<n: 1..>(read a: ${dtype}[n], read b: ${dtype}[n], write y: ${dtype}[n]) {
          ${grid('n', 'store y[32*g + t] = (i32[t] % 2 == 0 ? a[32*g + t] : b[32*g + t])'.replace('i32[t] % 2', 'i32[t % 2]'))}
        }
        plan main<n: 1..> { input a: ${dtype}[n] input b: ${dtype}[n] output y: ${dtype}[n] steps { kernel pick(a, b, y) } }
      }`.replace('(i32[t % 2] == 0 ? a[32*g + t] : b[32*g + t])', 'select(i32[t % 2] == 0, a[32*g + t], b[32*g + t])'),
      )
      const values = count(37).map(v => (dtype === 'bool' ? v % 2 : dtype === 'f16' ? 0x3c00 + v : v))
      const loaded = await same(
        program,
        { a: tensor(dtype, [37], values), b: tensor(dtype, [37], [...values].reverse()) },
        { n: 37 },
      )
      await loaded.executor.dispose(Promise.resolve())
    }
  })

  test('one load runs at any n, and a buffer in place is one binding', async () => {
    const program = parseLowered(`program p {
      kernel twice<n: 1..>(read x: f32[n], write y: f32[n]) { ${grid('n', 'store y[32*g + t] = x[32*g + t] * 2.0')} }
      plan main<n: 1..> {
        input x: f32[n]  scratch a: f32[n]  scratch b: f32[n]  output y: f32[n]
        steps { kernel twice(x, a)  kernel twice(a, b)  kernel twice(b, y) }
        memory {
          slot s: 64*((n + 15) // 16) at 0 holds [a, b]
          slot t: 64*((n + 15) // 16) at 64*((n + 15) // 16) holds [x]
          slot u: 64*((n + 15) // 16) at 128*((n + 15) // 16) holds [y]
          peak 192*((n + 15) // 16)
          bound 192*((n + 15) // 16)
        }
      }
    }`)
    const loaded = await loadProgram(device, program)
    expect(loaded.code).toContain('read_write> b_x')
    for (const n of [1, 2, 3, 5, 64, 1000, 3]) {
      const x = Float32Array.from(count(n))
      expect(await loaded.run({ x }, { n })).toEqual({ y: x.map(v => v * 8) })
      expect(loaded.executor.stats()).toMatchObject({ dispatches: 3, submits: 1 })
    }
    await loaded.executor.dispose(Promise.resolve())
  })

  const control = parseLowered(`program p {
    kernel step(read_write total: f32[], read_write count: i32[], write more: bool[]) {
      accumulate total[] sum= 1.5
      accumulate count[] sum= 1
      store more[] = count[] < 4
    }
    kernel fill<k: 0..8>(write y: f32[k]) { for i < k { store y[i] = f32(i32[i]) } }
    kernel start(write more: bool[], write count: i32[]) { store more[] = true  store count[] = 0 }
    plan main<k: 0..8 upto 8> {
      state total: f32[] port "sum"
      scratch count: i32[]
      scratch more: bool[]
      output y: f32[k]
      steps {
        kernel start(more, count)
        loop t upto 10 while more { kernel step(total, count, more) }
        if more { } else { define k = count }
        kernel fill(y)
      }
    }
  }`)
  test('conditions, counts and loops: a submit only where the host must know; states stay', async () => {
    const { executor, run } = await loadProgram(device, control, [
      { name: 'sum', type: { dtype: 'f32', shape: [] }, init: { kind: 'inline', values: [100] } },
    ])
    expect(await run({})).toEqual({ y: Float32Array.of(0, 1, 2, 3) })
    // One submit for each of five tests, the branch, the count, and the end.
    expect(executor.stats()).toMatchObject({ dispatches: 6, submits: 8 })
    expect(await executor.readState('sum')).toEqual(Float32Array.of(106))
    const fork = await executor.fork()
    expect(await fork.readState('sum')).toEqual(Float32Array.of(100))
    await executor.writeState('sum', Float32Array.of(1))
    await run({})
    expect(await executor.readState('sum')).toEqual(Float32Array.of(7))
    expect(await fork.readState('sum')).toEqual(Float32Array.of(100))
    await executor.resetState()
    expect(await executor.readState('sum')).toEqual(Float32Array.of(100))
    expect(await thrown(executor.readState('other'))).toBe('state/unknown-name')
    await executor.dispose(Promise.resolve())
    expect(await fork.readState('sum')).toEqual(Float32Array.of(100))
    await fork.dispose(Promise.resolve())
  })

  test('a loop whose trips are known is one submit', async () => {
    const program = parseLowered(`program p {
      kernel add<i: 0..>(read_write y: i32[4]) { for thread.x t < 4 { accumulate y[t] sum= i32[i + t] } }
      plan main { input x: i32[4]  output y: i32[4]  steps { copy x -> y  loop i upto 70 { kernel add(y) } } }
    }`)
    const loaded = await same(program, { x: tensor('i32', [4], [1, 2, 3, 4]) })
    // Seventy counters are more uniform blocks than one submit holds.
    expect(loaded.executor.stats()).toMatchObject({ dispatches: 70, submits: 2 })
    await loaded.executor.dispose(Promise.resolve())
  })

  test('a narrow state is packed, and invocations that share a word do not disturb each other', async () => {
    for (const dtype of ['u8', 'i16', 'bool'] as const) {
      const program = parseLowered(`program p {
        kernel put(read x: ${dtype}[40], read_write s: ${dtype}[40], write y: ${dtype}[40]) {
          for workgroup.x g < 5 { for thread.x t < 8 {
            store y[8*g + t] = s[8*g + t]
            if i32[t] < 5 { store s[8*g + t] = x[8*g + t] }
          } }
        }
        plan main { input x: ${dtype}[40]  state s: ${dtype}[40] port "s"  output y: ${dtype}[40]  steps { kernel put(x, s, y) } }
      }`)
      const x = tensor(
        dtype,
        [40],
        count(40).map(v => (dtype === 'bool' ? v % 2 : v)),
      )
      const first = interpretPlan(program, 'main', { x })
      const second = interpretPlan(program, 'main', { x }, { states: first.states })
      const { executor, run, code } = await loadProgram(device, program)
      expect(await run({ x: x.data }), code).toEqual({ y: first.outputs['y']?.data })
      expect(await run({ x: x.data })).toEqual({ y: second.outputs['y']?.data })
      expect(await executor.readState('s')).toEqual(second.states['s']?.data)
      await executor.dispose(Promise.resolve())
    }
  })

  test('copies that change layout or width are kernels, others are copies', async () => {
    const program = parseLowered(`program p {
      plan main<n: 1..> {
        input x: f32[n,3]
        constant w: u8[4] data [1, 2, 3, 250]
        scratch a: f32[n,3] layout [d1,d0] in [3,n]
        scratch b: f32[n,3] layout [d1,d0] in [3,n]
        output y: f32[n,3]
        output z: u8[4]
        output t: f32[n,3] layout [d1,d0] in [3,n]
        steps { copy x -> a  copy a -> b  copy b -> y  copy w -> z  copy x -> t }
      }
    }`)
    const loaded = await same(program, { x: tensor('f32', [5, 3], count(15)) }, { n: 5 })
    expect(loaded.executor.stats()).toMatchObject({ dispatches: 5, submits: 1 })
    await loaded.executor.dispose(Promise.resolve())
  })

  test('nothing is copied of what is empty', async () => {
    const program = parseLowered(`program p {
      plan main {
        constant w: u8[2,0,3] data []
        output y: u8[2,0,3]
        steps { copy w -> y }
      }
    }`)
    const { executor, run } = await loadProgram(device, program)
    expect(await run({})).toEqual({ y: new Uint8Array(0) })
    await executor.dispose(Promise.resolve())
  })

  test('the first failure is an error with its kernel, and the next run works', async () => {
    const program = parseLowered(`program p {
      kernel check(read x: i32[1], write y: i32[1]) { if x[0] > 3 { fail index-out-of-range at value(x[0]) } store y[0] = x[0] }
      plan main { input x: i32[1] output y: i32[1] steps { kernel check(x, y) } }
    }`)
    const { executor, run } = await loadProgram(device, program)
    expect(await thrown(run({ x: Int32Array.of(9) }))).toBe('run/index-out-of-range')
    expect(await run({ x: Int32Array.of(2) })).toEqual({ y: Int32Array.of(2) })
    await executor.dispose(Promise.resolve())
  })

  test('device tensors stay on the device and are taken as inputs', async () => {
    const program = parseLowered(`program p {
      kernel twice<n: 1..>(read x: f32[n], write y: f32[n]) { ${grid('n', 'store y[32*g + t] = x[32*g + t] * 2.0')} }
      plan main<n: 1..> { input x: f32[n]  output y: f32[n]  steps { kernel twice(x, y) } }
    }`)
    const { executor } = await loadProgram(device, program)
    const common = { entry: 'main', symbols: { n: 3 }, into: [] }
    const [kept] = await executor.run({ ...common, inputs: [Float32Array.of(1, 2, 3)], outputs: 'device' })
    const found = executor.deviceTensor(new Proxy(kept ?? {}, {}))
    expect(found?.shape).toEqual([3])
    if (found === undefined) throw new Error('no tensor')
    const [y] = await executor.run({ ...common, inputs: [found.tensor], outputs: 'cpu' })
    expect(y && 'data' in y && y.data).toEqual(Float32Array.of(4, 8, 12))
    expect((await found.tensor.read()).data).toEqual(Float32Array.of(2, 4, 6))
    const into = new Float32Array(3)
    await executor.run({ ...common, inputs: [Float32Array.of(1, 2, 3)], into: [into], outputs: 'cpu' })
    expect(into).toEqual(Float32Array.of(2, 4, 6))
    found.tensor.dispose()
    expect(await thrown(found.tensor.read())).toBe('tensor/disposed')
    const times = await executor.profile({ ...common, inputs: [Float32Array.of(1, 2, 3)], outputs: 'cpu' })
    expect(times).toMatchObject([{ kernel: 'twice', runs: 1 }])
    await executor.dispose(Promise.resolve())
  })

  test('a buffer beyond the limit and a lost device are coded errors', async () => {
    if (software === undefined) throw new Error('unreachable')
    const program = parseLowered(`program p {
      kernel zero<n: 1..>(write y: f32[n]) { ${grid('n', 'store y[32*g + t] = 0.0')} }
      plan main<n: 1..> { output y: f32[n]  steps { kernel zero(y) } }
    }`)
    const adapter = await software.gpu.requestAdapter()
    const own = await adapter?.requestDevice()
    if (own === undefined) throw new Error('no second device')
    const { executor, run } = await loadProgram(own, program)
    expect(await thrown(run({}, { n: 2 ** 30 }))).toBe('device/buffer-too-large')
    expect(await run({}, { n: 2 })).toEqual({ y: new Float32Array(2) })
    own.destroy()
    await own.lost
    expect(await thrown(run({}, { n: 2 }))).toBe('device/lost')
    await executor.dispose(Promise.resolve())
    const again = await loadProgram(device, program)
    expect(await again.run({}, { n: 2 })).toEqual({ y: new Float32Array(2) })
    await again.executor.dispose(Promise.resolve())
  })

  test('a shader that the device rejects is named, and weights that never come are the error', async () => {
    const manifest = { ...(await loadProgram(device, control)).manifest }
    const shader = { kernel: 'broken', code: '@compute fn main() { nonsense }', access: [], uniforms: 0 }
    const code = new TextEncoder().encode(JSON.stringify([shader]))
    expect(await thrown(webgpuExecutor(device, manifest, code, new Uint8Array(64)))).toBe('device/pipeline')
    const late = Promise.reject(new QuernError('asset/truncated', 'the weights ended early'))
    expect(await thrown(webgpuExecutor(device, manifest, new TextEncoder().encode('[]'), late))).toBe('asset/truncated')
  })
})
