/** @file How an access walks memory along the lanes of the current vector loop, and its addresses. */
import { bytesOf } from '@quern/artifact'
import { type BufferDecl, type Index, ix, rewriteIndex, simplify } from '@quern/core-ir'
import { defect } from '../defect.ts'
import type { Address } from '../spelling/memory.ts'
import { addI32, i32 } from '../text/wat.ts'
import { type ValueOf, writePointer } from './indices.ts'
import type { Home, KernelState } from './state.ts'
import { binding } from './canonical-lanes.ts'

type MemoryHome = Extract<Home, { kind: 'memory' }>

/** The position of an element, in elements. */
export const flatten = (k: KernelState, decl: BufferDecl, indices: readonly Index[]): Index => {
  if (indices.length !== decl.shape.length)
    throw defect(`${decl.name} has ${decl.shape.length} dims and is indexed by ${indices.length}`)
  const strides = k.stridesOf(decl)
  return ix.add(decl.offset ?? 0, ...indices.map((index, d) => ix.mul(index, strides[d] ?? 1)))
}

export type Walk =
  /** Lane k is at the first one plus k · stride elements; 0 is one element for all. */
  | { readonly kind: 'linear'; readonly first: Index; readonly stride: number }
  | { readonly kind: 'lanes'; readonly at: Index }

/** Splits a position into that of lane 0 and a constant stride, where it has one. */
export const walkOf = (k: KernelState, position: Index, dataVaries: (x: Index) => boolean): Walk => {
  const { vector } = k
  const at = simplify(position, k.ranges)
  if (vector === undefined) return { kind: 'linear', first: at, stride: 0 }
  if (dataVaries(at)) return { kind: 'lanes', at }
  const plain = splitLinear(at, vector.axis)
  if (plain !== undefined) return plain
  const lane = (n: number): Index => simplify(rewriteIndex(at, binding(vector.axis, ix.constant(n))), k.ranges)
  const first = lane(0)
  const gap = ix.sub(lane(1), first)
  if (!ix.isConst(gap) || gap.value < 0) return { kind: 'lanes', at }
  // Lanes are few: a position is linear when each of them says so, whatever divisions it is written with.
  for (let n = 2; n < vector.extent; n++)
    if (!ix.sameIndex(lane(n), ix.add(first, n * gap.value))) return { kind: 'lanes', at }
  return { kind: 'linear', first, stride: gap.value }
}

/** A position whose axis stands in at most one term, alone. */
const splitLinear = (at: Index, axis: string): Walk | undefined => {
  const { offset, terms } = ix.split(at)
  const own = terms.filter(t => t.factors.some(f => f.key.includes(axis)))
  const [term] = own
  if (term === undefined) return { kind: 'linear', first: at, stride: 0 }
  const [factor] = term.factors
  if (own.length > 1 || term.factors.length > 1 || factor?.kind !== 'var' || factor.name !== axis) return undefined
  if (term.coef < 0) return { kind: 'lanes', at }
  return {
    kind: 'linear',
    first: ix.fromTerms(
      offset,
      terms.filter(t => t !== term),
    ),
    stride: term.coef,
  }
}

/** An address whose neighbours can be reached. */
export interface Reach {
  at(bytes: number): Address
}

/** The address of a position. */
export const reach = (k: KernelState, home: MemoryHome, position: Index, valueOf: ValueOf): Reach => {
  const { pointer, offset, safe } = writePointer(
    k,
    home.decl.name,
    home.pointer,
    ix.mul(position, bytesOf[home.decl.dtype]),
    valueOf,
  )
  return {
    at: bytes =>
      safe && offset + bytes >= 0
        ? { pointer, offset: offset + bytes }
        : // Without a proof that the pointer is not below zero, an immediate could carry past the end of the address space.
          { pointer: addI32(pointer, i32(offset + bytes)), offset: 0 },
  }
}

/** The same position in one lane. */
export const inLane = (k: KernelState, position: Index, lane: number): Index => {
  const axis = k.vector?.axis
  return ix.mapAtoms(position, atom => {
    if (atom.kind === 'var') return atom.name === axis ? ix.constant(lane) : undefined
    // Data keeps its vector form: the writer takes the lane out of it.
    return atom.kind === 'value' ? atom : undefined
  })
}
