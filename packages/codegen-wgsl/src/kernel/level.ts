/**
 * @file Statements at each level of the grid. Every invocation runs the whole kernel; a workgroup or thread axis gives each
 * its share. So what others see may be written only where every such axis of the kernel has been entered.
 */
import { statusReasons } from '@quern/artifact'
import { type Stmt, ix } from '@quern/core-ir'
import { axisRange } from './access.ts'
import type { Context } from './context.ts'
import { type Grid, contains, dims, gridAxis, structure } from './grid.ts'
import { indexCode } from './index-code.ts'
import { type Alloc, type For, type Hooks, scoped, writeLoop, writeStatement } from './statements.ts'

export interface LevelParts {
  readonly grid: Grid
  /** Puts a buffer where it belongs. */
  declare(stmt: Alloc, context: Context): void
  /** WGSL lines that report a failure. */
  fail(reason: number, at: string): string
  /** Whether threads meet through storage buffers too. */
  readonly storageBarrier: boolean
}

/** Axes of more than one trip that have not been entered yet: `workgroup.x`, … */
type Missing = ReadonlySet<string>

export const writeKernelBody = (stmts: readonly Stmt[], context: Context, parts: LevelParts): void => {
  const { grid } = parts
  const groups = dims.filter(d => grid.grouped.has(d)).map(d => `workgroup.${d}`)
  const threads = dims.filter(d => grid.threads[d] > 1).map(d => `thread.${d}`)
  hooksAt(parts, new Set([...groups, ...threads])).block(stmts, context)
}

const hooksAt = (parts: LevelParts, missing: Missing): Hooks => {
  const hooks: Hooks = {
    declare: parts.declare,
    loop: (stmt, context) => writeFor(stmt, context, parts, missing, hooks),
    block: (stmts, context) => {
      for (const stmt of stmts) {
        if (stmt.kind === 'store' || stmt.kind === 'accumulate' || stmt.kind === 'fail') alone(stmt, context, missing)
        writeStatement(stmt, context, hooks)
      }
    },
    barrier: context => {
      if (dims.every(d => parts.grid.threads[d] === 1)) return
      if (parts.storageBarrier) context.writer.line('storageBarrier();')
      context.writer.line('workgroupBarrier();')
    },
    fail: (stmt, context) =>
      context.writer.line(parts.fail(statusReasons.indexOf(stmt.reason), indexCode(stmt.at, context))),
  }
  return hooks
}

const alone = (stmt: Stmt, context: Context, missing: Missing): void => {
  const seen = stmt.kind === 'store' || stmt.kind === 'accumulate' ? context.memories.get(stmt.buffer)?.shared : false
  if (seen === true && missing.size > 0)
    throw structure(context.kernel, `a ${stmt.kind} that others see stands outside ${[...missing].join(', ')}`)
}

const writeFor = (stmt: For, context: Context, parts: LevelParts, missing: Missing, hooks: Hooks): void => {
  const axis = gridAxis(stmt.tag)
  if (axis === undefined) {
    writeLoop(stmt, context, inner => hooks.block(stmt.body, inner))
    return
  }
  const { kind, dim } = axis
  const name = `${kind}_${dim}`
  const inner: Context = {
    ...scoped(context),
    ranges: new Map(context.ranges).set(stmt.axis, axisRange(stmt.extent, context.ranges)),
    axes: new Map(context.axes).set(stmt.axis, name),
  }
  const body = (): void => hooksAt(parts, new Set([...missing].filter(m => m !== stmt.tag))).block(stmt.body, inner)
  const size = kind === 'thread' ? ix.constant(parts.grid.threads[dim]) : parts.grid.workgroups[dim]
  if (ix.sameIndex(size, stmt.extent)) {
    body()
    return
  }
  if (kind === 'thread' && contains(stmt.body, s => s.kind === 'barrier'))
    throw structure(context.kernel, `thread axis ${stmt.axis} has a barrier and is shorter than its workgroup`)
  context.writer.block(`if (${name} < ${indexCode(stmt.extent, context)})`, body)
}
