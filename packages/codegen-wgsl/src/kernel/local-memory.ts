/** @file Where buffers of an invocation or a workgroup live: variables, arrays, or workgroup memory. */
import { type BufferDecl, ix, simplify, spanOf } from '@quern/core-ir'
import { typeName } from '../spelling/types.ts'
import type { Access } from './access.ts'
import { type Context, type VectorAxis, heldIn } from './context.ts'
import { kernelError } from './errors.ts'
import type { Memory } from './memory.ts'
import type { Alloc } from './statements.ts'

/** More elements than this stay an array: no device has so many registers. */
const mostVariables = 512

export interface LocalMemory {
  readonly memory: Memory
  readonly declaration: string
  /** Bytes of workgroup memory. */
  readonly bytes: number
}

export const localMemory = (stmt: Alloc, context: Context, accesses: readonly Access[]): LocalMemory => {
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
