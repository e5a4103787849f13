/** @file Compiles allocations: memory of an invocation, or of its workgroup. */
import { QuernError } from '@quern/artifact'
import { type Index, rowMajorStrides } from '../index/index-expr.ts'
import { type ScalarResolver, compileIndex } from '../scalar/evaluate.ts'
import type { BufferDecl, Stmt } from './kernel.ts'
import { LaneShadow } from './lanes.ts'
import { type Extents, Memory, spanOf } from './memory.ts'
import { type Binding, type Code, type Compiler, resolver } from './scope.ts'
import { Shadow } from './shadow.ts'

export const compileAlloc = (
  stmt: Extract<Stmt, { kind: 'alloc' }>,
  compiler: Compiler,
  scope: Map<string, Binding>,
): Code => {
  const { machine } = compiler
  const { buffer, space } = stmt
  const extents = extentsGetter(buffer, resolver(compiler, scope))
  if (space !== 'shared') {
    const slot = compiler.slot()
    const own = (): Memory | undefined => machine.current.memories[slot]
    scope.set(buffer.name, { kind: 'buffer', memory: () => own() ?? missing(buffer) })
    return {
      run: () => {
        let memory = own()
        if (memory === undefined) {
          memory = new Memory(buffer.name, buffer.dtype, extents())
          machine.current.memories[slot] = memory
        } else memory.renew(extents())
        watchLanes(memory, compiler)
      },
    }
  }
  // One for each workgroup: whoever comes first makes it anew.
  let shared: Memory | undefined
  let owner = 0
  scope.set(buffer.name, { kind: 'buffer', memory: () => shared ?? missing(buffer) })
  return {
    run: () => {
      if (owner === machine.workgroup && shared !== undefined) return
      owner = machine.workgroup
      const at = extents()
      if (shared === undefined) shared = new Memory(buffer.name, buffer.dtype, at)
      else shared.renew(at)
      // Workgroups do not share it, so each starts with clean shadow memory.
      watchLanes(shared, compiler)
      if (compiler.racing) shared.log = new Shadow(spanOf(at), machine).logOf(buffer.name)
    },
  }
}

const watchLanes = (memory: Memory, { lanes, machine }: Compiler): void => {
  if (!lanes.has(memory.name)) return
  // Memory whose extents vary is watched anew each time.
  if (memory.lanes === undefined || memory.resized)
    memory.lanes = new LaneShadow(memory.size, machine).logOf(memory.name)
}

const missing = (buffer: BufferDecl): never => {
  throw new QuernError('loop/unknown-name', `${buffer.name} is used before it is allocated`, { name: buffer.name })
}

const extentsGetter = (decl: BufferDecl, names: ScalarResolver): (() => Extents) => {
  const all = (xs: readonly Index[]): (() => number)[] => xs.map(x => compileIndex(x, names))
  const shape = all(decl.shape)
  const strides = all(decl.strides ?? rowMajorStrides(decl.shape))
  const [offset] = all(decl.offset === undefined ? [] : [decl.offset])
  const get = (): Extents => ({ shape: shape.map(f => f()), strides: strides.map(f => f()), offset: offset?.() ?? 0 })
  const fixed = [...decl.shape, ...(decl.strides ?? []), ...(decl.offset === undefined ? [] : [decl.offset])]
  if (fixed.some(x => x.kind !== 'const')) return get
  const once = get()
  return () => once
}
