/**
 * @file Checks a kernel: names, ranks and dtypes; where parallel axes, shared memory and barriers may stand; what vector
 * bodies and register buffers promise to code generators.
 */
import { type Diagnostic, type Printed, diagnose, printedOnce, throwDiagnostics } from '../diagnostics/diagnostic.ts'
import { type Index, isConst, visitAtoms } from '../index/index-expr.ts'
import { accepts, binaryOps } from '../scalar/scalar-ops.ts'
import { combinerOp } from '../scalar/reduce.ts'
import { type Scalar, childrenOf } from '../scalar/scalar.ts'
import { bitWidth } from '../scalar/value.ts'
import type { AxisTag, BufferDecl, Kernel, Stmt } from './kernel.ts'
import { printKernelLines } from './print.ts'
import { isUniformIndex, isUniformScalar } from './uniform.ts'
import { type Named, type NameScope, type Say, checkAccess, checkIndex, checkScalar } from './verify-scalar.ts'
import { containsStmt, dtypesIn, isThread, isWorkgroup, visitStmtPaths } from './walk.ts'

/** Throws an error with every finding. */
export const verifyKernel = (kernel: Kernel): void =>
  throwDiagnostics(`the kernel ${kernel.name}`, kernelDiagnostics(kernel))

export const kernelDiagnostics = (kernel: Kernel): Diagnostic[] => {
  const found: Diagnostic[] = []
  const printed = printedOnce(() => printKernelLines(kernel))
  const scope = new Map<string, Named>(kernel.symbols.map(s => [s.name, { kind: 'symbol' }]))
  const say = sayAt(printed, found)
  kernel.params.forEach((decl, i) => {
    if (scope.has(decl.name)) say(`param.${i}`)('loop/name-taken', `${decl.name} is declared twice`, decl.name)
    checkDecl(decl, scope, say(`param.${i}`))
    scope.set(decl.name, { kind: 'buffer', decl, space: 'param', access: decl.access, depth: 0 })
  })
  const axes = new Set<string>()
  visitStmtPaths(kernel.body, (s, path) => {
    if (s.kind !== 'for') return
    if (axes.has(s.axis))
      say(path)('loop/name-taken', `another loop has the axis ${s.axis}: axis names are unique in a kernel`, s.axis)
    axes.add(s.axis)
  })
  const has = (test: (tag: AxisTag) => boolean): boolean =>
    containsStmt(kernel.body, s => s.kind === 'for' && test(s.tag))
  const kinds: Kinds = { parallel: has(t => t === 'parallel'), workgroup: has(isWorkgroup), thread: has(isThread) }
  if (kinds.parallel && (kinds.workgroup || kinds.thread))
    say('head')('loop/mixed-axes', 'a kernel has parallel axes or workgroups, not both')
  checkBlock(kernel.body, '', scope, { kinds, around: [], guarded: false, say })
  return found
}

interface Kinds {
  readonly parallel: boolean
  readonly workgroup: boolean
  readonly thread: boolean
}
type For = Extract<Stmt, { kind: 'for' }>
interface Context {
  readonly kinds: Kinds
  /** Loops around, outermost first. */
  readonly around: readonly For[]
  readonly guarded: boolean
  readonly say: (path: string) => Say
}

const sayAt =
  (printed: () => Printed, found: Diagnostic[]) =>
  (path: string): Say =>
  (code, message, focus) =>
    void found.push(diagnose(printed(), path, code, message, focus))

const checkDecl = (decl: BufferDecl, scope: NameScope, say: Say): void => {
  for (const x of [...decl.shape, ...(decl.strides ?? []), ...(decl.offset === undefined ? [] : [decl.offset])])
    checkIndex(x, scope, say)
  if (decl.strides !== undefined && decl.strides.length !== decl.shape.length)
    say('loop/wrong-rank', `${decl.name} has ${decl.shape.length} dims and ${decl.strides.length} strides`, decl.name)
}

const checkBlock = (stmts: readonly Stmt[], prefix: string, outer: NameScope, context: Context): void => {
  const scope = new Map(outer)
  stmts.forEach((stmt, i) => checkStmt(stmt, prefix === '' ? `${i}` : `${prefix}.${i}`, scope, context))
}

const differsIn =
  (scope: NameScope) =>
  (name: string): boolean => {
    const found = scope.get(name)
    return (found?.kind === 'axis' || found?.kind === 'let') && found.differs
  }

const checkStmt = (stmt: Stmt, path: string, scope: Map<string, Named>, context: Context): void => {
  const say = context.say(path)
  const vector = context.around.find(f => f.tag === 'vector')
  const declare = (name: string, named: Named): void => {
    if (scope.has(name)) say('loop/name-taken', `${name} stands for something else already`, name)
    scope.set(name, named)
  }
  switch (stmt.kind) {
    case 'for':
      return checkFor(stmt, path, scope, context)
    case 'alloc':
      checkDecl(stmt.buffer, scope, say)
      checkAlloc(stmt, context, say)
      return declare(stmt.buffer.name, {
        kind: 'buffer',
        decl: stmt.buffer,
        space: stmt.space,
        access: 'read_write',
        depth: context.around.length,
      })
    case 'let':
      checkScalar(stmt.value, scope, say)
      return declare(stmt.name, {
        kind: 'let',
        dtype: stmt.value.dtype,
        differs: !isUniformScalar(stmt.value, differsIn(scope)),
      })
    case 'store':
    case 'accumulate':
      return checkWrite(stmt, scope, context, say)
    case 'if':
      checkScalar(stmt.condition, scope, say)
      if (stmt.condition.dtype !== 'bool') say('loop/wrong-dtype', `a condition is bool, not ${stmt.condition.dtype}`)
      checkBlock(stmt.then, `${path}.then`, scope, { ...context, guarded: true })
      return checkBlock(stmt.else, `${path}.else`, scope, { ...context, guarded: true })
    case 'fail':
      return checkIndex(stmt.at, scope, say)
    case 'barrier': {
      if (context.guarded)
        say('loop/barrier-under-guard', 'a barrier under an if may be reached by some and not by others')
      if (vector !== undefined) say('loop/vector-body', 'a vector body has no barrier')
      if (context.around.some(f => f.tag === 'parallel'))
        say('loop/barrier-in-parallel', 'iterations of a parallel axis cannot meet: they are split over a team')
      const uneven = context.around.find(f => !isUniformIndex(f.extent, differsIn(scope)))
      if (uneven !== undefined)
        say('loop/barrier-not-uniform', `the loop over ${uneven.axis} may run more often for some than for others`)
      return
    }
  }
}

const checkFor = (stmt: For, path: string, scope: NameScope, context: Context): void => {
  const say = context.say(path)
  const { tag, extent, axis } = stmt
  const { around } = context
  checkIndex(extent, scope, say)
  if (scope.has(axis)) say('loop/name-taken', `${axis} stands for something else already`, axis)
  // An unrolled axis is no loop: legalisation spells its iterations out.
  if (around.some(f => f.tag === 'vector') && !(tag === 'unroll' && isConst(extent)))
    say('loop/vector-body', 'a vector body has no loop')
  const concurrent = tag === 'parallel' || isWorkgroup(tag) || isThread(tag)
  if (concurrent && context.guarded) say('loop/axis-misplaced', `the ${tag} axis ${axis} stands under an if`, tag)
  if (concurrent && around.some(f => f.tag === tag))
    say('loop/axis-misplaced', `the axis ${axis} stands inside another ${tag} axis`, tag)
  if (concurrent && !isUniformIndex(extent, differsIn(scope)))
    say('loop/extent-not-uniform', `the extent of the ${tag} axis ${axis} must be the same for all`, axis)
  if (isWorkgroup(tag) && around.some(f => !isWorkgroup(f.tag)))
    say('loop/axis-misplaced', 'workgroup axes are the outermost loops', tag)
  if (isThread(tag)) {
    if (!around.some(f => isWorkgroup(f.tag))) say('loop/axis-misplaced', 'thread axes stand under workgroup axes', tag)
    if (!isConst(extent)) say('loop/extent-not-constant', `the thread axis ${axis} needs a constant extent`, axis)
  }
  if (tag === 'vector') checkVector(stmt, say)
  const uneven =
    around.some(f => f.tag === 'parallel' || isThread(f.tag) || f.tag === 'vector') &&
    !isUniformIndex(extent, differsIn(scope))
  const differs =
    tag === 'parallel' || tag === 'vector' || isThread(tag) || uneven || !isUniformIndex(extent, differsIn(scope))
  checkBlock(stmt.body, path, new Map([...scope, [axis, { kind: 'axis', differs }]]), {
    ...context,
    around: [...around, stmt],
  })
}

/** 4 lanes, or 2 where anything in the body has 64 bits; or two or four such vectors in step. */
const checkVector = (stmt: For, say: Say): void => {
  if (!isConst(stmt.extent))
    return say('loop/extent-not-constant', `the vector axis ${stmt.axis} needs a constant extent`, stmt.axis)
  const wide = dtypesIn(stmt.body).some(d => bitWidth[d] === 64)
  const lanes = wide ? 2 : 4
  if (![1, 2, 4].some(vectors => stmt.extent.kind === 'const' && stmt.extent.value === vectors * lanes))
    say(
      'loop/vector-lanes',
      `a vector of ${wide ? '64-bit' : 'up to 32-bit'} elements has ${lanes} lanes, and one, two or four of them run in step: not ${stmt.extent.value}`,
      stmt.axis,
    )
}

const checkAlloc = (stmt: Extract<Stmt, { kind: 'alloc' }>, { around }: Context, say: Say): void => {
  const { space, buffer } = stmt
  const fixed = buffer.shape.every(d => isConst(d))
  if (space !== 'private' && !fixed)
    say('loop/extent-not-constant', `${space} memory has constant extents`, buffer.name)
  if (space !== 'register' && around.some(f => f.tag === 'vector'))
    say('loop/vector-body', 'a vector body allocates registers only', buffer.name)
  if (space !== 'shared') return
  if (!around.some(f => isWorkgroup(f.tag)))
    say('loop/shared-misplaced', 'shared memory belongs to a workgroup: it stands under workgroup axes', buffer.name)
  if (around.some(f => isThread(f.tag)))
    say('loop/shared-misplaced', 'shared memory is allocated above the thread axes', buffer.name)
}

const checkWrite = (
  stmt: Extract<Stmt, { kind: 'store' | 'accumulate' }>,
  scope: NameScope,
  context: Context,
  say: Say,
): void => {
  checkScalar(stmt.value, scope, say)
  const target = checkAccess(stmt.buffer, stmt.indices, scope, say)
  if (target === undefined) return
  const { decl, space, access, depth } = target
  if (decl.dtype !== stmt.value.dtype)
    say('loop/wrong-dtype', `${stmt.buffer} holds ${decl.dtype}, not ${stmt.value.dtype}`, stmt.buffer)
  if (stmt.kind === 'accumulate' && !accepts(binaryOps[combinerOp[stmt.reducer]].accepts, decl.dtype))
    say('loop/wrong-dtype', `${stmt.reducer} does not combine ${decl.dtype}`, stmt.reducer)
  if (access === 'read') say('loop/wrong-access', `${stmt.buffer} is for reading, and is written`, stmt.buffer)
  if (stmt.kind === 'accumulate' && access === 'write')
    say('loop/wrong-access', `${stmt.buffer} is for writing, and accumulating reads it`, stmt.buffer)
  const { kinds, around } = context
  if (space === 'param' || space === 'shared') {
    const under = (test: (tag: AxisTag) => boolean): boolean => around.some(f => test(f.tag))
    const missing =
      kinds.parallel && !under(t => t === 'parallel')
        ? 'parallel'
        : kinds.thread && !under(isThread)
          ? 'thread'
          : kinds.workgroup && !under(isWorkgroup)
            ? 'workgroup'
            : undefined
    if (missing !== undefined)
      say(
        'loop/write-outside-parallel',
        `every invocation would write ${stmt.buffer}: it is not under a ${missing} axis`,
        stmt.buffer,
      )
  }
  const vectorAt = around.findIndex(f => f.tag === 'vector')
  const vector = around[vectorAt]
  if (vector !== undefined && depth <= vectorAt && !stmt.indices.some(i => dependsOn(i, vector.axis)))
    say('loop/vector-body', `every lane of ${vector.axis} would write the same element of ${stmt.buffer}`, stmt.buffer)
}

const dependsOn = (x: Index, axis: string): boolean => {
  let found = false
  const inScalar = (s: Scalar): boolean =>
    (s.kind === 'index' && dependsOn(s.index, axis)) ||
    (s.kind === 'load' && s.indices.some(i => dependsOn(i, axis))) ||
    // A name may hold anything that depends on the lane.
    s.kind === 'ref' ||
    childrenOf(s).some(inScalar)
  visitAtoms(x, atom => {
    if ((atom.kind === 'var' && atom.name === axis) || (atom.kind === 'value' && inScalar(atom.scalar))) found = true
  })
  return found
}
