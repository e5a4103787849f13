/** @file The grid of a kernel: its workgroup and thread axes, and what may stand at which level. */
import { type AxisTag, type Index, type Kernel, type Stmt, ix, rangeOf } from '@quern/core-ir'
import { symbolRanges } from './access.ts'
import { kernelError } from './errors.ts'

export const dims = ['x', 'y', 'z'] as const
export type GridDim = (typeof dims)[number]

export interface Grid {
  /** Workgroups in each dim, over symbols. */
  readonly workgroups: Readonly<Record<GridDim, Index>>
  /**
   * Whether an axis may have more workgroups than a dispatch has in one dimension. Then all are counted in one sequence, laid
   * out in rows as long as the limit, and the invocations behind its end return.
   */
  readonly rows: { readonly length: number; readonly total: Index } | undefined
  /** Dims that have a workgroup axis. */
  readonly grouped: ReadonlySet<GridDim>
  /** Invocations of a workgroup in each dim. */
  readonly threads: Readonly<Record<GridDim, number>>
}

export const gridAxis = (
  tag: AxisTag,
): { readonly kind: 'workgroup' | 'thread'; readonly dim: GridDim } | undefined => {
  const [kind, dim] = tag.split('.')
  const found = dims.find(d => d === dim)
  return (kind === 'workgroup' || kind === 'thread') && found !== undefined ? { kind, dim: found } : undefined
}

export interface GridLimits {
  readonly maxComputeWorkgroupsPerDimension: number
  readonly maxComputeInvocationsPerWorkgroup: number
  readonly maxComputeWorkgroupSizeX: number
  readonly maxComputeWorkgroupSizeY: number
  readonly maxComputeWorkgroupSizeZ: number
}

export const gridOf = (kernel: Kernel, limits: GridLimits): Grid => {
  const workgroups: Record<GridDim, Index> = { x: ix.constant(1), y: ix.constant(1), z: ix.constant(1) }
  const threads: Record<GridDim, number> = { x: 1, y: 1, z: 1 }
  const grouped = new Set<GridDim>()
  const symbols = new Set(kernel.symbols.map(s => s.name))
  const visit = (stmts: readonly Stmt[]): void => {
    for (const stmt of stmts) {
      if (stmt.kind === 'if') {
        visit(stmt.then)
        visit(stmt.else)
      }
      if (stmt.kind !== 'for') continue
      const axis = gridAxis(stmt.tag)
      if (axis?.kind === 'workgroup') {
        ix.visitAtoms(stmt.extent, atom => {
          if (atom.kind === 'value' || (atom.kind === 'var' && !symbols.has(atom.name)))
            throw structure(kernel, `the extent of workgroup axis ${stmt.axis} is no expression over symbols`)
        })
        workgroups[axis.dim] = grouped.has(axis.dim) ? ix.max(workgroups[axis.dim], stmt.extent) : stmt.extent
        grouped.add(axis.dim)
      } else if (axis?.kind === 'thread') {
        if (!ix.isConst(stmt.extent)) throw structure(kernel, `the extent of thread axis ${stmt.axis} is not constant`)
        threads[axis.dim] = Math.max(threads[axis.dim], stmt.extent.value)
      }
      visit(stmt.body)
    }
  }
  visit(kernel.body)
  const { x, y, z } = threads
  if (
    x > limits.maxComputeWorkgroupSizeX ||
    y > limits.maxComputeWorkgroupSizeY ||
    z > limits.maxComputeWorkgroupSizeZ ||
    x * y * z > limits.maxComputeInvocationsPerWorkgroup
  )
    throw kernelError('webgpu/workgroup-size', kernel, `a workgroup of ${x}×${y}×${z} is more than the device runs`, {
      x,
      y,
      z,
    })
  const length = limits.maxComputeWorkgroupsPerDimension
  const ranges = symbolRanges(kernel)
  const fits = dims.every(d => rangeOf(workgroups[d], ranges).max <= length)
  const rows = fits ? undefined : { length, total: ix.product(dims.map(d => workgroups[d])) }
  return { workgroups, threads, grouped, rows }
}

/** Workgroups to dispatch in each dimension. */
export const dispatchOf = ({ workgroups, rows }: Grid): readonly [Index, Index, Index] =>
  rows === undefined
    ? [workgroups.x, workgroups.y, workgroups.z]
    : [ix.min(rows.total, rows.length), ix.ceilDiv(rows.total, rows.length), ix.constant(1)]

export const structure = (kernel: Kernel, message: string): Error =>
  kernelError('webgpu/kernel-structure', kernel, message)

/** Whether any statement, at any depth, is one. */
export const contains = (stmts: readonly Stmt[], is: (stmt: Stmt) => boolean): boolean =>
  stmts.some(
    stmt =>
      is(stmt) ||
      (stmt.kind === 'for' && contains(stmt.body, is)) ||
      (stmt.kind === 'if' && (contains(stmt.then, is) || contains(stmt.else, is))),
  )
