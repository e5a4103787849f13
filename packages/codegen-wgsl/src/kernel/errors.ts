/** @file What a kernel may ask for that WGSL cannot give: coded errors that name the kernel and the user's line. */
import { QuernError } from '@quern/artifact'
import type { Kernel } from '@quern/core-ir'
import { lineOf } from './names.ts'

export type WgslErrorCode =
  | 'webgpu/unsupported-dtype'
  | 'webgpu/too-many-buffers'
  | 'webgpu/workgroup-memory'
  | 'webgpu/workgroup-size'
  | 'webgpu/mixed-width-alias'
  | 'webgpu/symbolic-local'
  | 'webgpu/kernel-structure'
  | 'webgpu/not-legalised'

export const kernelError = (
  code: WgslErrorCode,
  kernel: Kernel,
  message: string,
  details: Readonly<Record<string, unknown>> = {},
): QuernError => {
  const lines = kernel.origins.map(lineOf)
  const from = lines.length === 0 ? '' : ` (from ${lines.join(', ')})`
  return new QuernError(code, `kernel ${kernel.name}${from}: ${message}`, { kernel: kernel.name, lines, ...details })
}
