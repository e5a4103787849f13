/** @file One kernel to one wasm function. */
import {
  type AllocSpace,
  type BufferDecl,
  type Index,
  type Kernel,
  type Stmt,
  axisRange,
  ix,
  rangeOf,
  spanOf,
  visitStmts,
} from '@quern/core-ir'
import { bufferAlignment, bytesOf, statusReasons } from '@quern/artifact'
import { defect } from '../defect.ts'
import type { HelperName } from '../spelling/helpers.ts'
import { lanesOf, repOf } from '../spelling/values.ts'
import { addI32, get, i32, safeComment } from '../text/wat.ts'
import { countUses, hasParallel, hasStatement, mentionsOf } from './analysis.ts'
import { writeIndexScalar } from './scalars.ts'
import { residences } from './registers.ts'
import { KernelState, functionScope } from './state.ts'
import { writeBlock } from './statements.ts'
import { canonicalise } from './canonical-lanes.ts'

export interface KernelTarget {
  readonly threads: boolean
  readonly relaxed: boolean
  /** The module's identifier of the function. */
  readonly id: string
  /** Position among the program's kernels, for status words. */
  readonly index: number
  use(helper: HelperName): void
  useRuntime(name: 'barrier' | 'fail'): void
}

export interface EmittedKernel {
  readonly id: string
  readonly text: string
  /** Bytes of memory that one member needs for itself, over symbols; undefined where none. */
  readonly scratch: Index | undefined
  readonly symbols: readonly string[]
  /** Runs on every member of a team; takes (thread, team) as its last parameters. */
  readonly parallel: boolean
  /** Returns whether the run was aborted, as an i32. */
  readonly aborts: boolean
}

interface Local {
  readonly decl: BufferDecl
  readonly space: AllocSpace
}
const localsOf = (stmts: readonly Stmt[]): Local[] => {
  const found: Local[] = []
  visitStmts(stmts, s => {
    if (s.kind === 'alloc') found.push({ decl: s.buffer, space: s.space })
  })
  return found
}

export const emitKernel = (kernel: Kernel, target: KernelTarget): EmittedKernel => {
  const body = canonicalise(kernel.body)
  const parallel = target.threads && hasParallel(body)
  const aborts = parallel && hasStatement(body, 'barrier')
  const k = new KernelState(target.relaxed, target.use)
  for (const s of kernel.symbols) k.ranges.set(s.name, { min: s.min, max: s.max ?? Infinity })
  for (const p of kernel.params) k.homes.set(p.name, { kind: 'memory', decl: p, pointer: k.w.param(p.name, 'i32') })
  for (const s of kernel.symbols) k.symbols.set(s.name, k.w.param(s.name, 'i32'))

  const residence = residences(body)
  const locals = localsOf(body)
  const inMemory = locals.filter(l => residence.get(l.decl.name)?.kind === 'memory')
  const scratchParam = inMemory.length > 0 ? k.w.param('scratch', 'i32') : undefined
  const member = parallel ? { thread: k.w.param('thread', 'i32'), team: k.w.param('team', 'i32') } : undefined

  visitStmts(body, s => {
    if (s.kind === 'for') k.ranges.set(s.axis, axisRange(s.extent, k.ranges))
  })
  // Addresses of local buffers come first: what is hoisted to the top of the function builds on them.
  k.scopes.push(functionScope(k))
  const scratch = placeLocals(k, locals, scratchParam, residence)
  k.scopes.pop()
  k.scopes.push(functionScope(k))
  k.framed(countUses(body), () =>
    writeBlock(
      k,
      {
        member,
        barrier: aborts
          ? () => {
              target.useRuntime('barrier')
              k.w.if(`(call $barrier ${get(member?.team ?? '')})`, () => k.w.line(`(return ${i32(1)})`))
            }
          : undefined,
        fail: (reason, at) => {
          target.useRuntime('fail')
          k.w.line(`(call $fail ${i32((target.index << 8) | statusReasons.indexOf(reason))} ${at})`)
        },
      },
      body,
    ),
  )
  if (aborts) {
    k.w.returns('i32')
    k.w.line(i32(0))
  }
  return {
    id: target.id,
    text: [...comments(kernel), k.w.finish(target.id)].join('\n'),
    scratch,
    symbols: kernel.symbols.map(s => s.name),
    parallel,
    aborts,
  }
}

/** Gives local buffers their wasm locals or their place in the member's scratch memory; returns the bytes of the latter. */
const placeLocals = (
  k: KernelState,
  locals: readonly Local[],
  scratch: string | undefined,
  residence: ReturnType<typeof residences>,
): Index | undefined => {
  let used: Index = ix.constant(0)
  for (const { decl } of locals) {
    const lives = residence.get(decl.name)
    const known = k.homes.get(decl.name)
    // Copies of one body declare their buffers once each, and use them one after another.
    if (known !== undefined && known.decl.shape.map(e => e.key).join() === decl.shape.map(e => e.key).join()) continue
    if (known !== undefined) throw defect(`two buffers are named ${decl.name}`)
    if (lives?.kind === 'locals') {
      const size = decl.shape.reduce((n, e) => n * (ix.isConst(e) ? e.value : 1), 1)
      const per = lives.lanes === 1 ? 1 : Math.min(lives.lanes, lanesOf(decl.dtype))
      const type = lives.lanes === 1 ? repOf[decl.dtype] : 'v128'
      const names = Array.from({ length: Math.max(1, size / per) }, (_, i) => k.w.local(`${decl.name}_${i}`, type))
      k.homes.set(decl.name, { kind: 'locals', decl, lanes: lives.lanes, names })
      continue
    }
    const at = used
    const pointer = k.w.local(decl.name, 'i32')
    k.w.set(pointer, addI32(get(scratch ?? ''), writeIndexScalar(k, at)))
    k.homes.set(decl.name, { kind: 'memory', decl, pointer })
    used = ix.add(used, ix.roundUp(ix.mul(extentInMemory(k, decl), bytesOf[decl.dtype]), bufferAlignment))
  }
  return scratch === undefined ? undefined : used
}

/** Elements that a local buffer spans, over symbols: where its shape depends on an axis, at the most. */
const extentInMemory = (k: KernelState, decl: BufferDecl): Index => {
  const sizes = decl.shape.map(e => {
    const free = [...mentionsOf([], [e]).variables].filter(name => !k.symbols.has(name))
    if (free.length === 0) return e
    const { max } = rangeOf(e, k.ranges)
    if (!Number.isFinite(max)) throw defect(`the size of ${decl.name} depends on ${free.join(', ')} and has no bound`)
    return ix.constant(max)
  })
  return spanOf({ ...decl, shape: sizes })
}

/** What the kernel is, and the user's lines that it does the work of. */
const comments = (kernel: Kernel): string[] => {
  const params = kernel.params.map(p => `${p.name}: ${p.dtype}`).join(', ')
  const lines = kernel.origins.map(
    o => `${o.file.split(/[\\/]/).at(-1)}:${o.line}:${o.column}${o.name === undefined ? '' : ` ${o.name}`}`,
  )
  return [`;; ${safeComment(`${kernel.name}(${params})`)}`, ...[...new Set(lines)].map(l => `;; ${safeComment(l)}`)]
}
