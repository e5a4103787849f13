/** @file Statements of the loop language as WGSL statements. */
import { type Index, type Scalar, type Stmt, type AccumulateOp, ix, scalar } from '@quern/core-ir'
import { axisRange, flatIndex, vectorForm } from './access.ts'
import { type Context, type Value, bare, bind, splat } from './context.ts'
import { indexCode, laneOf, laneStep } from './index-code.ts'
import { type Memory, storeOne, storeWhole, storesWhole } from './memory.ts'
import { forStatement, scalarCode } from './scalar-code.ts'

export const reducerOps = {
  sum: 'add',
  prod: 'mul',
  max: 'max',
  min: 'min',
  any: 'or',
  all: 'and',
} as const satisfies Record<AccumulateOp, string>

export type For = Extract<Stmt, { kind: 'for' }>
export type Alloc = Extract<Stmt, { kind: 'alloc' }>
export type Fail = Extract<Stmt, { kind: 'fail' }>

/** What depends on where in the grid a statement stands; see level.ts. */
export interface Hooks {
  /** Declares a buffer and says where it is. */
  declare(stmt: Alloc, context: Context): void
  loop(stmt: For, context: Context): void
  block(stmts: readonly Stmt[], context: Context): void
  barrier(context: Context): void
  fail(stmt: Fail, context: Context): void
}

export const writeStatement = (stmt: Stmt, context: Context, hooks: Hooks): void => {
  const { writer } = context
  switch (stmt.kind) {
    case 'alloc':
      hooks.declare(stmt, context)
      return
    case 'let': {
      const value = scalarCode(stmt.value, forStatement(context, stmt.value))
      // A literal stays one, so that what is made of it still folds.
      context.lets.set(stmt.name, value.constant ? value : bind(context, value, 'l', stmt.name))
      return
    }
    case 'store':
      write(stmt, stmt.value, context)
      return
    case 'accumulate':
      accumulate(stmt, context)
      return
    case 'if': {
      const condition = scalarCode(stmt.condition, forStatement(context, stmt.condition))
      writer.block(
        `if (${bare(condition.code)})`,
        () => hooks.block(stmt.then, scoped(context)),
        stmt.else.length === 0 ? undefined : () => hooks.block(stmt.else, scoped(context)),
      )
      return
    }
    case 'fail':
      hooks.fail(stmt, context)
      return
    case 'barrier':
      hooks.barrier(context)
      return
    case 'for':
      hooks.loop(stmt, context)
  }
}

/** Names bound inside a block end with it. */
export const scoped = (context: Context): Context => ({ ...context, lets: new Map(context.lets), named: new Map() })

/** A serial, unrolled or vector axis. */
export const writeLoop = (stmt: For, context: Context, body: (context: Context) => void): void => {
  const ranges = new Map(context.ranges).set(stmt.axis, axisRange(stmt.extent, context.ranges))
  const inner: Context = { ...scoped(context), ranges }
  const { extent } = stmt
  if (stmt.tag === 'vector' && ix.isConst(extent)) {
    const form = vectorForm(stmt.axis, extent, stmt.body, context.lets)
    if (form === 'vector' && (extent.value === 2 || extent.value === 3 || extent.value === 4)) {
      body({ ...inner, vector: { axis: stmt.axis, lanes: extent.value } })
      return
    }
    if (form === 'lanes') {
      for (let lane = 0; lane < extent.value; lane++) body({ ...scoped(laneOf(context, stmt.axis, lane)), ranges })
      return
    }
  }
  if (ix.isConst(extent, 1)) {
    body({ ...inner, fixed: new Map(context.fixed).set(stmt.axis, 0) })
    return
  }
  const name = context.names.fresh('i', stmt.axis)
  const end = indexCode(extent, context)
  context.writer.block(`for (var ${name} = 0i; ${name} < ${end}; ${name}++)`, () =>
    body({ ...inner, axes: new Map(context.axes).set(stmt.axis, name) }),
  )
}

type Target = { readonly buffer: string; readonly indices: readonly Index[] }

const memoryOf = (buffer: string, context: Context): Memory => {
  const memory = context.memories.get(buffer)
  if (memory === undefined) throw new Error(`kernel ${context.kernel.name} has no buffer ${buffer} here`)
  return memory
}

const write = (target: Target, x: Scalar, outer: Context): void => {
  const context = forStatement(outer, x)
  put(target, scalarCode(x, context), context)
}

const put = (target: Target, value: Value, context: Context): void => {
  const memory = memoryOf(target.buffer, context)
  const at = flatIndex(memory.decl, target.indices)
  const { vector } = context
  if (vector === undefined) {
    storeOne(memory, at, value, context)
    return
  }
  const { axis, lanes } = vector
  const step = laneStep(at, axis, lanes, context)
  if (step.kind === 'uniform') {
    // Every lane writes the same element; the last one stays.
    const last = value.lanes === 1 ? value : { ...bind(context, value), lanes: 1 as const }
    storeOne(
      memory,
      at,
      value.lanes === 1 ? last : { ...last, code: `${last.code}[${lanes - 1}]` },
      laneOf(context, axis, lanes - 1),
    )
  } else if (step.kind === 'affine' && storesWhole(memory, step, lanes, context))
    storeWhole(memory, step.base, splat(value, lanes), context)
  else {
    const parts = bind(context, value, 'lanes')
    for (let lane = 0; lane < lanes; lane++) {
      const one: Value = parts.lanes === 1 ? parts : { ...parts, code: `${parts.code}[${lane}]`, lanes: 1 }
      storeOne(memory, at, one, laneOf(context, axis, lane))
    }
  }
}

/** buffer[at] = buffer[at] ∘ value, through the same spelling as the binary op. */
const accumulate = (stmt: Extract<Stmt, { kind: 'accumulate' }>, outer: Context): void => {
  const memory = memoryOf(stmt.buffer, outer)
  const op = reducerOps[stmt.reducer]
  const at = flatIndex(memory.decl, stmt.indices)
  const { vector } = outer
  const context = forStatement(outer, stmt.value)
  const step = vector === undefined ? undefined : laneStep(at, vector.axis, vector.lanes, context)
  const combined = (part: Value, into: Context): Value => {
    const key = `${stmt.buffer} part`
    const lets = new Map(into.lets).set(key, part)
    const current = scalar.load(stmt.buffer, memory.decl.dtype, stmt.indices)
    return scalarCode(scalar.binary(op, current, scalar.ref(key, memory.decl.dtype)), {
      ...into,
      lets,
      uses: new Map(),
      named: new Map(),
    })
  }
  const value = scalarCode(stmt.value, context)
  if (vector === undefined || step === undefined || step.kind !== 'uniform') {
    put(stmt, combined(value, context), context)
    return
  }
  // All lanes accumulate into one element, in the order of the lanes.
  const parts = bind(context, splat(value, vector.lanes), 'lanes')
  for (let lane = 0; lane < vector.lanes; lane++) {
    const into = laneOf(context, vector.axis, lane)
    const one: Value = { ...parts, code: `${parts.code}[${lane}]`, lanes: 1 }
    put(stmt, combined(one, into), into)
  }
}
