/** @file Kernels written by hand: what is emitted, that Tint accepts it, and what is refused. */
import { isQuernError } from '@quern/artifact'
import { type Kernel, parseKernel } from '@quern/core-ir'
import { beforeAll, expect, test } from 'vitest'
import { nullDevice, validate } from '../test-support/dawn.ts'
import { defaultLimits, emitKernel } from './kernel/emit-kernel.ts'
import { kernels } from '../test-support/kernels.ts'

let device: GPUDevice
beforeAll(async () => {
  device = await nullDevice()
})

for (const [name, text] of Object.entries(kernels))
  test(`${name} is valid WGSL`, async () => {
    const { shader } = emitKernel(parseKernel(text), { f16: true, limits: defaultLimits, index: 1 })
    expect(await validate(device, shader), shader.code).toEqual([])
  })

const emit = (kernel: Kernel | string, f16 = false, limits = defaultLimits) =>
  emitKernel(typeof kernel === 'string' ? parseKernel(kernel) : kernel, { f16, limits, index: 0 })

test("a map reads and writes vec4 where it can prove alignment, and names the user's line", () => {
  expect(emit(kernels.elementwise).shader.code).toMatchInlineSnapshot(`
    "// kernel elementwise
    // digits.model.ts:9:42 (hidden)

    @group(0) @binding(0) var<storage, read> b_x: array<vec4<f32>>;

    @group(0) @binding(1) var<storage, read_write> b_y: array<vec4<f32>>;

    struct Symbols {
      s_n: i32,
    }

    @group(0) @binding(2) var<uniform> symbols: Symbols;

    fn is_nan_x4(x: vec4<f32>) -> vec4<bool> { return (bitcast<vec4<u32>>(x) & vec4<u32>(0x7fffffffu)) > vec4<u32>(0x7f800000u); }

    @compute @workgroup_size(64, 1, 1)
    fn main(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(local_invocation_id) thread: vec3<u32>) {
      let position = i32(workgroup.x) + 65535 * i32(workgroup.y);
      if (position >= ((symbols.s_n + 255) / 256)) { return; }
      let workgroup_x = position;
      let thread_x = i32(thread.x);
      if ((256 * workgroup_x + 4 * thread_x) < symbols.s_n) {
        let t = b_x[64 * workgroup_x + thread_x] * vec4<f32>(2.5f);
        b_y[64 * workgroup_x + thread_x] = (select(vec4<f32>(0.0f), t, (t > vec4<f32>(0.0f)) | is_nan_x4(t)) + vec4<f32>(1.0f));
      }
    }
    "
  `)
})

test('names and lines of a user never become code', async () => {
  const kernel = parseKernel(`kernel k<n: 1..>(read x: f32[n], write y: f32[n]) {
    for workgroup.x g < n { let v = x[g]  store y[g] = v + v }
  }`)
  const evil = 'x; }\n*/ fn main() {} // \u2028 let'
  const renamed = JSON.parse(
    JSON.stringify(kernel)
      .replaceAll('"x"', JSON.stringify(evil))
      .replaceAll('"v"', JSON.stringify('__var'))
      .replaceAll('"n"', JSON.stringify('fn'))
      .replace('"origins":[]', `"origins":[${JSON.stringify({ file: evil, line: 1, column: 2, name: evil })}]`),
  ) as Kernel
  const { shader } = emit({ ...renamed, name: evil })
  expect(await validate(device, shader), shader.code).toEqual([])
  expect(shader.code.split('\n').filter(l => l.includes('fn main') && !l.startsWith('//'))).toHaveLength(1)
})

test('dispatches beyond the limit of one dimension are laid out in rows', async () => {
  const small = { ...defaultLimits, maxComputeWorkgroupsPerDimension: 4 }
  const emitted = emit(kernels.transpose, false, small)
  expect(await validate(device, emitted.shader)).toEqual([])
  expect(emitted.shader.code).toContain('if (position >= ')
  expect(emit(kernels.treeReduction.replace('m: 1..', 'm: 1..65535')).shader.code).not.toContain('position')
  expect(emit(kernels.treeReduction.replace('m: 1..', 'm: 1..65536')).shader.code).toContain('position')
})

const refused: readonly (readonly [string, string])[] = [
  ['webgpu/unsupported-dtype', 'kernel k(read x: f64[4], write y: f32[4]) { store y[0] = f32(x[0]) }'],
  ['webgpu/unsupported-dtype', 'kernel k(write y: i32[4]) { let a = 1:i64  store y[0] = i32(a) }'],
  [
    'webgpu/too-many-buffers',
    `kernel k(${Array.from({ length: 9 }, (_, i) => `write y${i}: f32[1]`).join(', ')}) { store y0[0] = 0.0 }`,
  ],
  [
    'webgpu/workgroup-memory',
    'kernel k(write y: f32[1]) { alloc shared s: f32[64,65] for thread.x t < 2 { store s[t, 0] = 0.0 } }',
  ],
  ['webgpu/workgroup-size', 'kernel k(write y: f32[512]) { for thread.x t < 257 { store y[t] = 0.0 } }'],
  [
    'webgpu/symbolic-local',
    'kernel k<n: 1..>(write y: f32[n]) { alloc private p: f32[n] store p[0] = 1.0 store y[0] = p[0] }',
  ],
  ['webgpu/kernel-structure', 'kernel k(write y: f32[4]) { for thread.x t < 4 { store y[t] = 0.0 } store y[0] = 1.0 }'],
  [
    'webgpu/kernel-structure',
    'kernel k(write y: f32[4]) { for thread.x t < 2 { barrier } for thread.x u < 4 { store y[u] = 0.0 } }',
  ],
  ['webgpu/not-legalised', 'kernel k(write y: f32[4]) { store y[0] = sin(1.0) }'],
]
test.each(refused)('%s is refused by name: %s', (code, text) => {
  try {
    emit(text.replace('{', '{\n // digits.model.ts:9:42\n'))
    expect.unreachable()
  } catch (error) {
    expect(isQuernError(error) && error.code, String(error)).toBe(code)
    expect(String(error)).toContain('kernel k (from digits.model.ts:9:42)')
  }
})

test('two params of different width cannot share memory', () => {
  const kernel = parseKernel(
    'kernel k(read x: f16[4], write y: f32[4]) { for thread.x t < 4 { store y[t] = f32(x[t]) } }',
  )
  const args = [
    { buffer: 3, packed: false },
    { buffer: 3, packed: false },
  ]
  expect(() => emitKernel(kernel, { f16: true, limits: defaultLimits, index: 0, args })).toThrow(
    expect.objectContaining({ code: 'webgpu/mixed-width-alias' }),
  )
})
