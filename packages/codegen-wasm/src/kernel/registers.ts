/** @file Decides for each local buffer of a kernel whether it becomes wasm locals or memory of the thread. */
import {
  type BufferDecl,
  type Index,
  type Scalar,
  type Stmt,
  childBlocks,
  indicesOf,
  ix,
  scalarsOf,
} from '@quern/core-ir'
import { lanesOf } from '../spelling/values.ts'
import { allChildren, scalarsInIndex } from './analysis.ts'
import { laneAxis } from './canonical-lanes.ts'

/** `lanes` > 1: the last dim is held in vectors of so many lanes. */
export type Residence = { readonly kind: 'locals'; readonly lanes: number } | { readonly kind: 'memory' }

/** Where an access of a register buffer points: a constant element, or `lanes` elements from it on. */
export interface RegisterAccess {
  readonly element: number
  readonly lanes: number
}

/** The constant shape, or undefined. */
const constantShape = (decl: BufferDecl): readonly number[] | undefined => {
  const shape = decl.shape.map(e => (ix.isConst(e) ? e.value : undefined))
  return shape.every(e => e !== undefined) ? shape : undefined
}

export const accessOfRegister = (decl: BufferDecl, indices: readonly Index[]): RegisterAccess | undefined => {
  const shape = constantShape(decl)
  if (shape === undefined) return undefined
  let element = 0,
    lanes = 1
  for (const [d, index] of indices.entries()) {
    const { offset, terms } = ix.split(index)
    const [term] = terms
    if (term !== undefined) {
      const [factor] = term.factors
      const lane = /^lane\.(\d+)$/.exec(factor?.kind === 'var' ? factor.name : '')?.[1]
      if (lane === undefined || terms.length > 1 || term.coef !== 1 || term.factors.length > 1) return undefined
      if (d !== indices.length - 1) return undefined
      lanes = Number(lane)
    }
    element = element * (shape[d] ?? 1) + offset
  }
  return { element, lanes }
}

/** More locals than this would only be spilled. */
const mostLocals = 512

const residence = (decl: BufferDecl, accesses: readonly (readonly Index[])[]): Residence => {
  const shape = constantShape(decl)
  if (shape === undefined || decl.strides !== undefined || decl.offset !== undefined) return { kind: 'memory' }
  const found = accesses.map(a => accessOfRegister(decl, a))
  const lanes = Math.max(1, ...found.map(f => f?.lanes ?? 1))
  const last = shape.at(-1) ?? 1
  const size = shape.reduce((n, e) => n * e, 1)
  const fits = found.every(f => f !== undefined && (f.lanes === 1 || (f.lanes === lanes && f.element % lanes === 0)))
  if (!fits || last % lanes !== 0 || size / Math.min(lanes, lanesOf(decl.dtype)) > mostLocals) return { kind: 'memory' }
  return { kind: 'locals', lanes }
}

/** The residence of every local buffer, by name. */
export const residences = (stmts: readonly Stmt[]): ReadonlyMap<string, Residence> => {
  const decls = new Map<string, { readonly decl: BufferDecl; readonly register: boolean }>()
  const accesses = new Map<string, (readonly Index[])[]>()
  const access = (buffer: string, indices: readonly Index[]): void => {
    const known = accesses.get(buffer)
    if (known === undefined) accesses.set(buffer, [indices])
    else known.push(indices)
  }
  const scalar = (x: Scalar): void => {
    if (x.kind === 'load') access(x.buffer, x.indices)
    allChildren(x).forEach(scalar)
  }
  const walk = (s: Stmt): void => {
    if (s.kind === 'alloc') decls.set(s.buffer.name, { decl: s.buffer, register: s.space === 'register' })
    if (s.kind === 'store' || s.kind === 'accumulate') access(s.buffer, s.indices)
    scalarsOf(s).forEach(scalar)
    for (const x of indicesOf(s)) scalarsInIndex(x).forEach(scalar)
    for (const body of childBlocks(s)) body.forEach(walk)
  }
  stmts.forEach(walk)
  return new Map(
    [...decls].map(([name, { decl, register }]) => [
      name,
      register ? residence(decl, accesses.get(name) ?? []) : ({ kind: 'memory' } satisfies Residence),
    ]),
  )
}

export const isLaneAxis = (name: string, extent: number): boolean => name === laneAxis(extent)
