/**
 * @file WebGPU in Node for tests: Dawn with its null backend (the whole of Tint and the pipeline checks, no results), and Dawn
 * on the software Vulkan driver that comes with Debian's chromium.
 */
import { existsSync } from 'node:fs'
import { constants } from 'node:os'
import { create, globals } from 'webgpu'

const chromium = process.env['QUERN_CHROMIUM_LIB'] ?? '/usr/lib/chromium'
/** glibc's RTLD_NODELETE: keeps a library that Node refuses as an addon. */
const keepLoaded = 0x1000

/** Dawn's promises never resolve once the object that `create` returned is collected. */
const keep = (gpu: GPU): GPU => {
  const holder = globalThis as { quernTestGpus?: GPU[] }
  holder.quernTestGpus = [...(holder.quernTestGpus ?? []), gpu]
  return gpu
}

const request = async (options: string[], needs: readonly GPUFeatureName[]): Promise<GPUDevice | undefined> => {
  Object.assign(globalThis, globals)
  const adapter = await keep(create(options)).requestAdapter()
  if (adapter === null) return undefined
  const device = await adapter.requestDevice({ requiredFeatures: needs.filter(f => adapter.features.has(f)) })
  return device
}

/** A device that validates everything and computes nothing. */
export const nullDevice = async (
  needs: readonly GPUFeatureName[] = ['shader-f16', 'subgroups'],
): Promise<GPUDevice> => {
  const device = await request(['backend=null'], needs)
  if (device === undefined) throw new Error('Dawn has no null backend')
  return device
}

export interface SoftwareGpu {
  readonly gpu: GPU
  readonly adapter: GPUAdapter
  readonly device: GPUDevice
}

/** A software adapter that computes, or undefined with one line of why; with QUERN_REQUIRE_BROWSER its absence is an error. */
export const softwareGpu = async (): Promise<SoftwareGpu | undefined> => {
  const missing = (why: string): undefined => {
    if (process.env['QUERN_REQUIRE_BROWSER'] === '1') throw new Error(`no software WebGPU: ${why}`)
    console.info(`WebGPU kernels are validated and not run: ${why}`)
    return undefined
  }
  const icd = process.env['VK_DRIVER_FILES'] ?? `${chromium}/vk_swiftshader_icd.json`
  if (!existsSync(icd)) return missing(`${icd} is missing (install chromium)`)
  process.env['VK_DRIVER_FILES'] = icd
  process.env['XDG_RUNTIME_DIR'] ??= '/tmp'
  const loader = `${chromium}/libvulkan.so.1`
  if (existsSync(loader))
    try {
      // Dawn asks for libvulkan.so.1 by name and finds the one already loaded.
      process.dlopen({ exports: {} }, loader, constants.dlopen.RTLD_NOW | keepLoaded)
    } catch {
      // Node says that it is no addon; it stays loaded.
    }
  Object.assign(globalThis, globals)
  const gpu = keep(create(['backend=vulkan']))
  const adapter = await gpu.requestAdapter()
  if (adapter === null) return missing(`no adapter from ${icd}`)
  return { gpu, adapter, device: await adapter.requestDevice() }
}

/** Compiles a shader as the runtime would; the messages of what is wrong with it, else none. */
export const validate = async (
  device: GPUDevice,
  shader: { readonly code: string; readonly access: readonly ('read' | 'read_write')[]; readonly uniforms: number },
): Promise<readonly string[]> => {
  device.pushErrorScope('validation')
  const module = device.createShaderModule({ code: shader.code })
  const types: GPUBufferBindingType[] = shader.access.map(a => (a === 'read' ? 'read-only-storage' : 'storage'))
  if (shader.uniforms > 0) types.push('uniform')
  const entries = types.map((type, binding) => ({ binding, visibility: 4, buffer: { type } }))
  const layout = device.createPipelineLayout({ bindGroupLayouts: [device.createBindGroupLayout({ entries })] })
  device.createComputePipeline({ layout, compute: { module, entryPoint: 'main' } })
  const [info, error] = await Promise.all([module.getCompilationInfo(), device.popErrorScope()])
  const messages = info.messages.map(m => `${m.type} ${m.lineNum}:${m.linePos} ${m.message}`)
  return error === null ? messages.filter(m => m.startsWith('error')) : [...messages, error.message]
}
