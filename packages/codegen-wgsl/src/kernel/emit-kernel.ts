/** @file One kernel as one compute shader. */
import { type GpuShader, QuernError } from '@quern/artifact'
import { type BufferDecl, type Index, type Kernel, ix, simplify } from '@quern/core-ir'
import { Helpers } from '../spelling/helpers.ts'
import { type Held, packedBits, storedAs, typeName } from '../spelling/types.ts'
import { type Access, accessesOf, spanOf, symbolRanges } from './access.ts'
import { type Context, type VectorAxis, heldIn } from './context.ts'
import { kernelError } from './errors.ts'
import { type Grid, type GridLimits, contains, dims, dispatchOf, gridOf } from './grid.ts'
import { indexCode } from './index-code.ts'
import { type LevelParts, writeKernelBody } from './level.ts'
import type { Memory, Place } from './memory.ts'
import { Names, lineOf, safeComment } from './names.ts'
import type { Alloc } from './statements.ts'
import { Writer } from './writer.ts'

/** The part of a device's limits that generated code must stay within; a `GPUDevice`'s `limits` is one. */
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

/** More elements than this stay an array: no device has so many registers. */
const mostVariables = 512

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

interface Binding {
  readonly param: number
  readonly access: 'read' | 'read_write'
  /** Whether the kernel reads what it writes there. */
  readonly readBack: boolean
}

/** Declares one binding for each distinct buffer and says where each param's elements are. */
const bindParams = (
  kernel: Kernel,
  options: KernelOptions,
  context: Context,
  accesses: ReadonlyMap<string, readonly Access[]>,
  declarations: string[],
): readonly Binding[] => {
  const args = options.args ?? kernel.params.map((_, i) => ({ buffer: i, packed: false }))
  if (args.length !== kernel.params.length)
    throw new QuernError(
      'plan/arguments',
      `kernel ${kernel.name} has ${kernel.params.length} params, not ${args.length}`,
    )
  const groups = new Map<number, number[]>()
  args.forEach((arg, i) => groups.set(arg.buffer, [...(groups.get(arg.buffer) ?? []), i]))
  return [...groups.values()].map((members, binding) => {
    const params = members.flatMap(i => kernel.params[i] ?? [])
    const [first] = members
    const [lead] = params
    if (first === undefined || lead === undefined) throw new Error('unreachable')
    const written = params.some(p => p.access !== 'read')
    const access = written ? 'read_write' : 'read'
    const packed = args[first]?.packed === true ? packedBits(lead.dtype, options.f16) : undefined
    const held = params.map(p => storedAs(heldIn(context, p.dtype)))
    const widths = new Set(
      params.map((p, i) =>
        packed === undefined ? (held[i] === 'f16' ? 16 : 32) : `${packedBits(p.dtype, options.f16)}`,
      ),
    )
    if (widths.size > 1)
      throw kernelError(
        'webgpu/mixed-width-alias',
        kernel,
        `${params.map(p => p.name).join(' and ')} share memory and differ in width`,
      )
    const name = context.names.fresh('b', lead.name)
    const declare = (element: string): void => {
      declarations.push(`@group(0) @binding(${binding}) var<storage, ${access}> ${name}: array<${element}>;`)
    }
    let place: Place
    if (packed === undefined) {
      const all = params.flatMap(p => accesses.get(p.name) ?? [])
      const vec4 = all.some(a => a.form === 'vec4') && all.every(a => !a.write || a.form === 'vec4')
      const element: Exclude<Held, 'bool'> = new Set(held).size === 1 && held[0] !== undefined ? held[0] : 'u32'
      place = { kind: 'storage', name, element, vec4 }
      declare(vec4 ? typeName(element, 4) : element)
    } else {
      place = { kind: 'packed', name, bits: packed, atomic: written }
      declare(written ? 'atomic<u32>' : 'u32')
    }
    for (const param of params)
      context.memories.set(param.name, { decl: param, place, shared: true, register: false } satisfies Memory)
    const made = params.flatMap(p => accesses.get(p.name) ?? [])
    return { param: first, access, readBack: made.some(a => a.write) && made.some(a => !a.write) }
  })
}

interface LocalMemory {
  readonly memory: Memory
  readonly declaration: string
  /** Bytes of workgroup memory. */
  readonly bytes: number
}

const localMemory = (stmt: Alloc, context: Context, accesses: readonly Access[]): LocalMemory => {
  const { buffer } = stmt
  const length = lengthOf(buffer, context)
  const held = heldIn(context, buffer.dtype)
  const inGroup = stmt.space === 'shared'
  if (context.vector !== undefined) {
    context.owned.add(buffer.name)
    context.mask?.inside.add(buffer.name)
    return ownedMemory(buffer, length, context.vector, context, onlyKnown(accesses))
  }
  const vectors = accesses.some(a => a.form === 'vec4') && length % 4 === 0
  if (!inGroup && stmt.space === 'register' && length <= mostVariables && onlyKnown(accesses)) {
    const count = vectors ? length / 4 : length
    const variables = Array.from({ length: count }, (_, i) =>
      context.names.fresh('r', count === 1 ? buffer.name : `${buffer.name} ${i}`),
    )
    const type = typeName(held, vectors ? 4 : 1)
    return {
      memory: {
        decl: buffer,
        place: { kind: 'variables', names: variables, vec4: vectors },
        shared: false,
        register: true,
      },
      declaration: variables.map(v => `var ${v}: ${type};`).join('\n'),
      bytes: 0,
    }
  }
  const vec4 = vectors && (!inGroup || accesses.every(a => !a.write || a.form === 'vec4'))
  const name = context.names.fresh(inGroup ? 'g' : 'p', buffer.name)
  const type = `array<${typeName(held, vec4 ? 4 : 1)}, ${vec4 ? length / 4 : length}>`
  return {
    memory: {
      decl: buffer,
      place: { kind: 'array', name, vec4, length },
      shared: inGroup,
      register: stmt.space === 'register',
    },
    declaration: inGroup ? `var<workgroup> ${name}: ${type};` : `var ${name}: ${type};`,
    bytes: inGroup ? length * (held === 'f16' ? 2 : 4) : 0,
  }
}

const ownedMemory = (
  buffer: BufferDecl,
  length: number,
  { axis, lanes }: VectorAxis,
  context: Context,
  known: boolean,
): LocalMemory => {
  const type = typeName(heldIn(context, buffer.dtype), lanes)
  const array = !known || length > mostVariables
  const names = Array.from({ length: array ? 1 : length }, (_, i) =>
    context.names.fresh('r', length === 1 || array ? buffer.name : `${buffer.name} ${i}`),
  )
  return {
    memory: {
      decl: buffer,
      place: { kind: 'owned', names, array, length, axis, lanes },
      shared: false,
      register: true,
    },
    declaration: names.map(n => `var ${n}: ${array ? `array<${type}, ${length}>` : type};`).join('\n'),
    bytes: 0,
  }
}

/** Every access names its element when the code is written. */
const onlyKnown = (accesses: readonly Access[]): boolean => accesses.every(a => a.known)

const lengthOf = (buffer: BufferDecl, context: Context): number => {
  const span = simplify(spanOf(buffer), context.ranges)
  if (ix.isConst(span)) return Math.max(1, span.value)
  throw kernelError(
    'webgpu/symbolic-local',
    context.kernel,
    `${buffer.name} is local to an invocation or workgroup and its size is not constant`,
    {
      buffer: buffer.name,
      size: span.key,
    },
  )
}
