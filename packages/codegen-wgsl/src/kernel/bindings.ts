/** @file The storage bindings of a kernel: one for each distinct buffer. */
import { QuernError } from '@quern/artifact'
import type { Kernel } from '@quern/core-ir'
import { type Held, packedBits, storedAs, typeName } from '../spelling/types.ts'
import type { Access } from './access.ts'
import { type Context, heldIn } from './context.ts'
import type { KernelOptions } from './emit-kernel.ts'
import { kernelError } from './errors.ts'
import type { Memory, Place } from './memory.ts'

export interface Binding {
  readonly param: number
  readonly access: 'read' | 'read_write'
  /** Whether the kernel reads what it writes there. */
  readonly readBack: boolean
}

/** Declares one binding for each distinct buffer and says where each param's elements are. */
export const bindParams = (
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
