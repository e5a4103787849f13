/** @file `outputs: 'device'` on wasm: a tensor that stays in host memory, unshared with the arena. */
import { type DType, type DeviceTensor, type HostArray, QuernError } from '@quern/artifact'
import type { ExecutorOutput, HostOutput } from '../executor.ts'

interface Held {
  data: HostArray | undefined
}
/** The data behind a tensor, out of the app's sight; a property keyed by a symbol survives proxies. */
const held = Symbol.for('quern.wasm-tensor')

export const wasmTensor = (dtype: DType, { shape, data }: HostOutput): DeviceTensor => {
  const box: Held = { data }
  const alive = (): HostArray => {
    if (box.data === undefined) throw new QuernError('tensor/disposed', 'this tensor was disposed', {})
    return box.data
  }
  const tensor: DeviceTensor = {
    dtype,
    shape,
    device: 'wasm',
    read: async () => ({ dtype, shape, data: alive().slice() }),
    dispose: () => {
      box.data = undefined
    },
  }
  return Object.assign(tensor, { [held]: box })
}

const isWasmTensor = (value: unknown): value is DeviceTensor =>
  typeof value === 'object' && value !== null && held in value

export const wasmTensorOf = (
  value: unknown,
): { readonly tensor: DeviceTensor; readonly dtype: DType; readonly shape: readonly number[] } | undefined => {
  if (!isWasmTensor(value)) return undefined
  return { tensor: value, dtype: value.dtype, shape: value.shape }
}

export const hostData = (value: ExecutorOutput | HostArray): HostArray => {
  if (ArrayBuffer.isView(value)) return value as HostArray
  if ('data' in value) return value.data
  const box = (value as DeviceTensor & { readonly [held]?: Held })[held]
  if (box?.data === undefined)
    throw new QuernError('tensor/disposed', 'this input was disposed, or lives on another device: read() it first', {})
  return box.data
}
