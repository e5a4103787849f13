/** @file `outputs: 'device'` on WebGPU: a tensor in a buffer of its own. */
import { type DType, type DeviceTensor, QuernError, type Tensor } from '@quern/artifact'
import { type HeldAs, fromDevice } from './convert.ts'

/** `buffer` is the app's to use; it holds `held ?? dtype` in row-major order. Plain fields, since frameworks wrap objects in proxies. */
export interface GpuTensor extends DeviceTensor {
  readonly device: 'webgpu'
  readonly buffer: GPUBuffer
  readonly held: DType | undefined
  readonly gpu: GPUDevice
  readonly disposed: boolean
}

export const gpuTensor = (
  gpu: GPUDevice,
  buffer: GPUBuffer,
  port: HeldAs,
  shape: readonly number[],
  readBytes: (buffer: GPUBuffer, bytes: number) => Promise<Uint8Array<ArrayBuffer>>,
): GpuTensor => {
  let disposed = false
  const length = shape.reduce((n, d) => n * d, 1)
  return {
    dtype: port.dtype,
    shape,
    device: 'webgpu',
    buffer,
    held: port.held,
    gpu,
    get disposed() {
      return disposed
    },
    read: async (): Promise<Tensor> => {
      if (disposed) throw new QuernError('tensor/disposed', `the tensor ${port.name} was disposed`, { name: port.name })
      return { dtype: port.dtype, shape, data: fromDevice(port, await readBytes(buffer, buffer.size), length) }
    },
    dispose: () => {
      disposed = true
      buffer.destroy()
    },
  }
}

/** A tensor of ours on this device, whatever proxy an app has put around it. */
export const gpuTensorOf = (gpu: GPUDevice, value: unknown): GpuTensor | undefined => {
  const isOurs = (x: object): x is GpuTensor => 'device' in x && x.device === 'webgpu' && 'gpu' in x && x.gpu === gpu
  return typeof value === 'object' && value !== null && isOurs(value) ? value : undefined
}
