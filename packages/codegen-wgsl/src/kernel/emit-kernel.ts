/** @file One kernel as one compute shader. */
import type { GpuShader } from '@quern/artifact'
import { type Index, type Kernel, ix } from '@quern/core-ir'
import { Helpers } from '../spelling/helpers.ts'
import { type Access, accessesOf, symbolRanges } from './access.ts'
import { bindParams } from './bindings.ts'
import type { Context } from './context.ts'
import { kernelError } from './errors.ts'
import { type Grid, type GridLimits, contains, dims, dispatchOf, gridOf } from './grid.ts'
import { indexCode } from './index-code.ts'
import { type LevelParts, writeKernelBody } from './level.ts'
import { localMemory } from './local-memory.ts'
import { Names, lineOf, safeComment } from './names.ts'
import { Writer } from './writer.ts'

/** The part of a device's limits that generated code must stay within, by WebGPU's names. */
export interface WgslLimits extends GridLimits {
  readonly maxStorageBuffersPerShaderStage: number
  readonly maxComputeWorkgroupStorageSize: number
}
export const defaultLimits: WgslLimits = {
  maxStorageBuffersPerShaderStage: 8,
  maxComputeWorkgroupStorageSize: 16_384,
  maxComputeWorkgroupsPerDimension: 65_535,
  maxComputeInvocationsPerWorkgroup: 256,
  maxComputeWorkgroupSizeX: 256,
  maxComputeWorkgroupSizeY: 256,
  maxComputeWorkgroupSizeZ: 64,
}

/** What a param is bound to. Params of one `buffer` share a binding; `packed` buffers hold several narrow elements a word. */
export interface BoundArg {
  readonly buffer: number
  readonly packed: boolean
}

export interface KernelOptions {
  readonly f16: boolean
  readonly limits: WgslLimits
  /** Number of the kernel in status words. */
  readonly index: number
  /** One for each param; by default each has a buffer of its own. */
  readonly args?: readonly BoundArg[]
}

export interface EmittedKernel {
  readonly shader: GpuShader
  /** Position in `args` of a param for each binding before the status word. */
  readonly bindings: readonly number[]
  /** Whether the binding after those is the run's status. */
  readonly status: boolean
  readonly workgroups: readonly [Index, Index, Index]
}

export const emitKernel = (kernel: Kernel, options: KernelOptions): EmittedKernel => {
  const grid = gridOf(kernel, options.limits)
  const names = new Names()
  const helpers = new Helpers()
  const writer = new Writer()
  const declarations: string[] = []
  const context: Context = {
    kernel,
    f16: options.f16,
    names,
    helpers,
    writer,
    memories: new Map(),
    ranges: symbolRanges(kernel),
    axes: new Map(),
    fixed: new Map(),
    vector: undefined,
    lets: new Map(),
    owned: new Set(),
    mask: undefined,
    named: new Map(),
    uses: new Map(),
  }
  const accesses = new Map<string, Access[]>()
  for (const access of accessesOf(kernel)) accesses.set(access.buffer, [...(accesses.get(access.buffer) ?? []), access])

  const bindings = bindParams(kernel, options, context, accesses, declarations)
  const fails = contains(kernel.body, s => s.kind === 'fail')
  if (fails)
    declarations.push(`@group(0) @binding(${bindings.length}) var<storage, read_write> status: array<atomic<u32>>;`)
  const storage = bindings.length + (fails ? 1 : 0)
  if (storage > options.limits.maxStorageBuffersPerShaderStage)
    throw kernelError(
      'webgpu/too-many-buffers',
      kernel,
      `it binds ${storage} buffers and the device allows ${options.limits.maxStorageBuffersPerShaderStage}`,
      { buffers: storage, limit: options.limits.maxStorageBuffersPerShaderStage },
    )

  const symbolAxes = new Map(context.axes)
  if (kernel.symbols.length > 0) {
    const members = kernel.symbols.map(({ name }) => {
      const member = names.fresh('s', name)
      symbolAxes.set(name, `symbols.${member}`)
      return `  ${member}: i32,`
    })
    declarations.push(`struct Symbols {\n${members.join('\n')}\n}`)
    declarations.push(`@group(0) @binding(${storage}) var<uniform> symbols: Symbols;`)
  }

  let sharedBytes = 0
  const parts: LevelParts = {
    grid,
    storageBarrier: bindings.some(b => b.readBack),
    fail: (reason, at) => `report(${(options.index << 8) | reason}u, ${at});`,
    declare: (stmt, inner) => {
      const made = localMemory(stmt, inner, accesses.get(stmt.buffer.name) ?? [])
      inner.memories.set(stmt.buffer.name, made.memory)
      if (made.bytes > 0) declarations.push(made.declaration)
      else writer.line(made.declaration)
      sharedBytes += made.bytes
    },
  }
  const { x, y, z } = grid.threads
  const head = `@compute @workgroup_size(${x}, ${y}, ${z})
fn main(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(local_invocation_id) thread: vec3<u32>)`
  writer.block(head, () => {
    const inner: Context = { ...context, axes: symbolAxes }
    writeGridPosition(kernel, grid, inner)
    writeKernelBody(kernel.body, inner, parts)
  })
  if (sharedBytes > options.limits.maxComputeWorkgroupStorageSize)
    throw kernelError(
      'webgpu/workgroup-memory',
      kernel,
      `it shares ${sharedBytes} bytes in a workgroup and the device allows ${options.limits.maxComputeWorkgroupStorageSize}`,
      { bytes: sharedBytes, limit: options.limits.maxComputeWorkgroupStorageSize },
    )

  const comments = [`// kernel ${safeComment(kernel.name)}`, ...kernel.origins.map(o => `// ${safeComment(lineOf(o))}`)]
  const body = [...declarations, ...helpers.text(), ...(fails ? [report] : []), writer.finish()].join('\n\n')
  const needsF16 = /\bf16\b|\dh\b/.test(body)
  const code = [...comments, ...(needsF16 ? ['enable f16;'] : []), '', body, ''].join('\n')
  return {
    shader: {
      kernel: kernel.name,
      code,
      access: [...bindings.map(b => b.access), ...(fails ? ['read_write' as const] : [])],
      uniforms: kernel.symbols.length,
    },
    bindings: bindings.map(b => b.param),
    status: fails,
    workgroups: dispatchOf(grid),
  }
}

/** The first failure of a run stays. */
const report = `fn report(reason: u32, at: i32) {
  loop {
    let seen = atomicCompareExchangeWeak(&status[0], 0u, reason);
    if (seen.exchanged) { atomicStore(&status[1], u32(at)); }
    if (seen.exchanged || seen.old_value != 0u) { break; }
  }
}`

/** Names this invocation's place in the grid. */
const writeGridPosition = (kernel: Kernel, grid: Grid, context: Context): void => {
  const { writer } = context
  const { rows } = grid
  const grouped = dims.filter(d => grid.grouped.has(d))
  if (rows === undefined) for (const dim of grouped) writer.line(`let workgroup_${dim} = i32(workgroup.${dim});`)
  else {
    writer.line(`let position = i32(workgroup.x) + ${rows.length} * i32(workgroup.y);`)
    writer.line(`if (position >= ${indexCode(rows.total, context)}) { return; }`)
    grouped.forEach((dim, i) => {
      const before = grouped.slice(0, i).map(d => grid.workgroups[d])
      const quotient = before.length === 0 ? 'position' : `position / ${indexCode(ix.product(before), context)}`
      const own = i === grouped.length - 1 ? quotient : `${quotient} % ${indexCode(grid.workgroups[dim], context)}`
      writer.line(`let workgroup_${dim} = ${own};`)
    })
  }
  for (const dim of dims)
    if (contains(kernel.body, s => s.kind === 'for' && s.tag === `thread.${dim}`))
      writer.line(`let thread_${dim} = i32(thread.${dim});`)
}
