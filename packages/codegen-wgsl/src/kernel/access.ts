/** @file How a kernel touches each buffer: decides between scalar and vec4 form, and between variables and an array. */
import {
  type BufferDecl,
  type Index,
  type Kernel,
  type Range,
  type Scalar,
  type Stmt,
  childrenOf,
  ix,
  rangeOf,
  simplify,
} from '@quern/core-ir'
import { type LaneScope, dependsOn } from './context.ts'
import { contains } from './grid.ts'
import { type LaneStep, laneStep } from './index-code.ts'

/** The element an access names, in the buffer's flat order. */
export const flatIndex = (decl: BufferDecl, indices: readonly Index[]): Index => {
  const strides = decl.strides ?? ix.rowMajorStrides(decl.shape)
  return ix.add(decl.offset ?? 0, ...indices.map((index, dim) => ix.mul(index, strides[dim] ?? 0)))
}

/** Whether four lanes starting at `base` are one aligned vec4. */
export const isAligned = (base: Index, ranges: ReadonlyMap<string, Range>): boolean =>
  ix.isConst(simplify(ix.mod(base, 4), ranges), 0)

/** How a vector axis becomes code: as vectors, as its body once for each lane, or as a loop. */
export const vectorForm = (extent: Index, body: readonly Stmt[]): 'vector' | 'lanes' | 'loop' => {
  if (!ix.isConst(extent) || extent.value > 16) return 'loop'
  if (extent.value < 2 || extent.value > 4) return 'lanes'
  const foreign = contains(
    body,
    s => s.kind === 'for' || s.kind === 'barrier' || (s.kind === 'alloc' && s.space !== 'register'),
  )
  return foreign ? 'lanes' : 'vector'
}

/**
 * How an `if` inside a vector axis becomes code: one test where the condition is the same in every lane (`uniform`); for
 * branches that only change registers, one test and stores that keep the lanes which do not take it (`masked`); else a test
 * for each lane.
 */
export const branchForm = (stmt: If, axis: string, scope: LaneScope, decls: Decls): 'uniform' | 'masked' | 'lanes' => {
  if (!dependsOn(stmt.condition, axis, scope)) return 'uniform'
  return stmt.else.length === 0 && onlyRegisters(stmt.then, axis, scope, decls) ? 'masked' : 'lanes'
}
type If = Extract<Stmt, { kind: 'if' }>
/** The buffers in scope, and which are registers. */
export type Decls = ReadonlyMap<string, { readonly decl: BufferDecl; readonly register: boolean }>

const onlyRegisters = (stmts: readonly Stmt[], axis: string, scope: LaneScope, decls: Decls): boolean => {
  const owned = new Set(scope.owned)
  return stmts.every(stmt => {
    switch (stmt.kind) {
      case 'let':
        return true
      case 'alloc':
        owned.add(stmt.buffer.name)
        return true
      case 'store':
      case 'accumulate':
        return (
          owned.has(stmt.buffer) ||
          (decls.get(stmt.buffer)?.register === true && stmt.indices.some(i => dependsOn(i, axis, scope)))
        )
      case 'if':
        return stmt.else.length === 0 && onlyRegisters(stmt.then, axis, { ...scope, owned }, decls)
      default:
        return false
    }
  })
}

export interface Access {
  readonly buffer: string
  readonly write: boolean
  /** `vec4`: one aligned vector. */
  readonly form: 'vec4' | 'other'
  /** Whether the element (the first lane's) is known when the code is written. */
  readonly known: boolean
}

interface Scope {
  readonly ranges: Map<string, Range>
  readonly fixed: Map<string, number>
  readonly lets: Map<string, { readonly lanes: number }>
  readonly owned: Set<string>
  readonly masked: boolean
  readonly vector: { readonly axis: string; readonly lanes: number } | undefined
}

/** Every access of a kernel, as the code that is written for it will make it. */
export const accessesOf = (kernel: Kernel): readonly Access[] => {
  const decls = new Map<string, { readonly decl: BufferDecl; readonly register: boolean }>(
    kernel.params.map(p => [p.name, { decl: p, register: false }]),
  )
  const found: Access[] = []
  const start: Scope = {
    ranges: symbolRanges(kernel),
    fixed: new Map(),
    lets: new Map(),
    owned: new Set(),
    masked: false,
    vector: undefined,
  }

  const touch = (buffer: string, indices: readonly Index[], write: boolean, scope: Scope): void => {
    const decl = decls.get(buffer)?.decl
    if (decl === undefined) throw new Error(`kernel ${kernel.name} has no buffer ${buffer} here`)
    for (const index of indices) inIndex(index, scope)
    const flat = flatIndex(decl, indices)
    const step: LaneStep =
      scope.vector === undefined ? { kind: 'uniform' } : laneStep(flat, scope.vector.axis, scope.vector.lanes, scope)
    if (step.kind === 'uniform') {
      const fixed = fix(flat, scope)
      found.push({ buffer, write, form: 'other', known: ix.isConst(fixed) })
      return
    }
    if (step.kind === 'affine' && step.step === 1 && scope.vector?.lanes === 4 && isAligned(step.base, scope.ranges)) {
      found.push({ buffer, write, form: 'vec4', known: ix.isConst(step.base) })
      return
    }
    found.push({ buffer, write, form: 'other', known: step.kind === 'affine' && ix.isConst(step.base) })
  }
  const inIndex = (index: Index, scope: Scope): void =>
    ix.visitAtoms(index, atom => {
      if (atom.kind === 'value') inScalar(atom.scalar, scope)
    })
  const inScalar = (root: Scalar, scope: Scope): void => {
    const seen = new Set<Scalar>()
    const go = (x: Scalar): void => {
      if (seen.has(x)) return
      seen.add(x)
      if (x.kind === 'load') touch(x.buffer, x.indices, false, scope)
      if (x.kind === 'index') inIndex(x.index, scope)
      childrenOf(x).forEach(go)
    }
    go(root)
  }
  const inStmts = (stmts: readonly Stmt[], scope: Scope): void => {
    for (const stmt of stmts)
      switch (stmt.kind) {
        case 'alloc':
          decls.set(stmt.buffer.name, { decl: stmt.buffer, register: stmt.space === 'register' })
          if (scope.vector !== undefined) scope.owned.add(stmt.buffer.name)
          break
        case 'let':
          inScalar(stmt.value, scope)
          scope.lets.set(stmt.name, {
            lanes:
              scope.vector !== undefined && dependsOn(stmt.value, scope.vector.axis, scope) ? scope.vector.lanes : 1,
          })
          break
        case 'store':
        case 'accumulate':
          inScalar(stmt.value, scope)
          if (stmt.kind === 'accumulate' || scope.masked) touch(stmt.buffer, stmt.indices, false, scope)
          touch(stmt.buffer, stmt.indices, true, scope)
          break
        case 'if': {
          inScalar(stmt.condition, scope)
          const form = scope.vector === undefined ? 'uniform' : branchForm(stmt, scope.vector.axis, scope, decls)
          const branch = (inner: Scope): void => {
            inStmts(stmt.then, scopedBy(inner))
            inStmts(stmt.else, scopedBy(inner))
          }
          if (form === 'lanes' && scope.vector !== undefined) eachLane(scope, scope.vector, branch)
          else branch(form === 'masked' ? { ...scope, masked: true } : scope)
          break
        }
        case 'fail':
          if (scope.vector === undefined) inIndex(stmt.at, scope)
          else eachLane(scope, scope.vector, lane => inIndex(stmt.at, lane))
          break
        case 'barrier':
          break
        case 'for': {
          inIndex(stmt.extent, scope)
          const ranges = new Map(scope.ranges).set(stmt.axis, axisRange(stmt.extent, scope.ranges))
          const inner = { ...scopedBy(scope), ranges }
          const form = stmt.tag === 'vector' ? vectorForm(stmt.extent, stmt.body) : 'loop'
          const n = ix.isConst(stmt.extent) ? stmt.extent.value : undefined
          if (form === 'vector' && n !== undefined)
            inStmts(stmt.body, { ...inner, owned: new Set(), vector: { axis: stmt.axis, lanes: n } })
          else if (n !== undefined && (form === 'lanes' || n === 1))
            eachLane(inner, { axis: stmt.axis, lanes: n }, lane => inStmts(stmt.body, lane))
          else inStmts(stmt.body, inner)
          break
        }
      }
  }
  inStmts(kernel.body, start)
  return found
}

const scopedBy = (scope: Scope): Scope => ({ ...scope, lets: new Map(scope.lets) })
const eachLane = (
  scope: Scope,
  { axis, lanes }: { readonly axis: string; readonly lanes: number },
  visit: (lane: Scope) => void,
): void => {
  for (let lane = 0; lane < lanes; lane++)
    visit({ ...scopedBy(scope), vector: undefined, masked: false, fixed: new Map(scope.fixed).set(axis, lane) })
}

const fix = (x: Index, scope: Pick<Scope, 'fixed' | 'ranges'>): Index =>
  simplify(
    ix.mapAtoms(x, atom => {
      const value = atom.kind === 'var' ? scope.fixed.get(atom.name) : undefined
      return value === undefined ? undefined : ix.constant(value)
    }),
    scope.ranges,
  )

export const symbolRanges = (kernel: Kernel): Map<string, Range> =>
  new Map(kernel.symbols.map(s => [s.name, { min: s.min, max: s.max ?? Infinity }]))

export const axisRange = (extent: Index, ranges: ReadonlyMap<string, Range>): Range => ({
  min: 0,
  max: Math.max(0, rangeOf(extent, ranges).max - 1),
})
