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
import { dependsOn } from './context.ts'
import { type LaneStep, laneStep } from './index-code.ts'

/** The element an access names, in the buffer's flat order. */
export const flatIndex = (decl: BufferDecl, indices: readonly Index[]): Index => {
  const strides = decl.strides ?? ix.rowMajorStrides(decl.shape)
  return ix.add(decl.offset ?? 0, ...indices.map((index, dim) => ix.mul(index, strides[dim] ?? 0)))
}

/** Elements from the first to the last that a buffer spans. */
export const spanOf = (decl: Pick<BufferDecl, 'shape' | 'strides' | 'offset'>): Index => {
  if (decl.strides === undefined) return ix.add(decl.offset ?? 0, ix.product(decl.shape))
  const last = decl.shape.map((extent, dim) => ix.mul(ix.sub(extent, 1), decl.strides?.[dim] ?? 0))
  return ix.add(decl.offset ?? 0, 1, ...last)
}

/** Whether four lanes starting at `base` are one aligned vec4. */
export const isAligned = (base: Index, ranges: ReadonlyMap<string, Range>): boolean =>
  ix.isConst(simplify(ix.mod(base, 4), ranges), 0)

/**
 * How a vector axis becomes code: `lanes` takes the body once for each lane, where it branches on the lane or owns buffers
 * of its own; else vectors.
 */
export const vectorForm = (
  axis: string,
  extent: Index,
  body: readonly Stmt[],
  lets: ReadonlyMap<string, { readonly lanes: number }>,
): 'vector' | 'lanes' | 'loop' => {
  if (!ix.isConst(extent) || extent.value > 16) return 'loop'
  if (extent.value < 2 || extent.value > 4) return 'lanes'
  const inner = new Map(lets)
  const branches = body.some(stmt => {
    switch (stmt.kind) {
      case 'let':
        inner.set(stmt.name, { lanes: dependsOn(stmt.value, axis, inner) ? extent.value : 1 })
        return false
      case 'store':
      case 'accumulate':
        return false
      default:
        return true
    }
  })
  return branches ? 'lanes' : 'vector'
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
  readonly vector: { readonly axis: string; readonly lanes: number } | undefined
}

/** Every access of a kernel, as the code that is written for it will make it. */
export const accessesOf = (kernel: Kernel): readonly Access[] => {
  const decls = new Map<string, BufferDecl>(kernel.params.map(p => [p.name, p]))
  const found: Access[] = []
  const start: Scope = { ranges: symbolRanges(kernel), fixed: new Map(), lets: new Map(), vector: undefined }

  const touch = (buffer: string, indices: readonly Index[], write: boolean, scope: Scope): void => {
    const decl = decls.get(buffer)
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
          decls.set(stmt.buffer.name, stmt.buffer)
          break
        case 'let':
          inScalar(stmt.value, scope)
          scope.lets.set(stmt.name, {
            lanes:
              scope.vector !== undefined && dependsOn(stmt.value, scope.vector.axis, scope.lets)
                ? scope.vector.lanes
                : 1,
          })
          break
        case 'store':
        case 'accumulate':
          inScalar(stmt.value, scope)
          if (stmt.kind === 'accumulate') touch(stmt.buffer, stmt.indices, false, scope)
          touch(stmt.buffer, stmt.indices, true, scope)
          break
        case 'if':
          inScalar(stmt.condition, scope)
          inStmts(stmt.then, scope)
          inStmts(stmt.else, scope)
          break
        case 'fail':
          inIndex(stmt.at, scope)
          break
        case 'barrier':
          break
        case 'for': {
          inIndex(stmt.extent, scope)
          const ranges = new Map(scope.ranges).set(stmt.axis, axisRange(stmt.extent, scope.ranges))
          const inner: Scope = { ...scope, ranges, lets: new Map(scope.lets) }
          const form = stmt.tag === 'vector' ? vectorForm(stmt.axis, stmt.extent, stmt.body, scope.lets) : 'loop'
          if (form === 'vector' && ix.isConst(stmt.extent))
            inStmts(stmt.body, { ...inner, vector: { axis: stmt.axis, lanes: stmt.extent.value } })
          else if (ix.isConst(stmt.extent) && (form === 'lanes' || stmt.extent.value === 1))
            for (let lane = 0; lane < stmt.extent.value; lane++)
              inStmts(stmt.body, { ...inner, fixed: new Map(scope.fixed).set(stmt.axis, lane) })
          else inStmts(stmt.body, inner)
          break
        }
      }
  }
  inStmts(kernel.body, start)
  return found
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
