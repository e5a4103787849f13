/** @file Statements of the loop language as WGSL statements. */
import { type Index, type Scalar, type Stmt, combinerOp, ix, scalar } from '@quern/core-ir'
import { type Decls, axisRange, branchForm, flatIndex, vectorForm } from './access.ts'
import { type Context, type Value, type VectorAxis, bare, bind, splat } from './context.ts'
import { indexCode, laneOf, laneStep } from './index-code.ts'
import { type Memory, loadLanes, storeOne, storeOwned, storeWhole, storesWhole } from './memory.ts'
import { forStatement, scalarCode } from './scalar-code.ts'

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
    case 'if':
      branch(stmt, context, hooks)
      return
    case 'fail':
      if (context.vector === undefined) hooks.fail(stmt, context)
      else eachLane(context, context.vector, lane => hooks.fail(stmt, lane))
      return
    case 'barrier':
      hooks.barrier(context)
      return
    case 'for':
      hooks.loop(stmt, context)
  }
}

const branch = (stmt: Extract<Stmt, { kind: 'if' }>, context: Context, hooks: Hooks): void => {
  const { writer, vector } = context
  const condition = scalarCode(stmt.condition, forStatement(context, stmt.condition))
  const test = (code: string, inner: Context): void =>
    writer.block(
      `if (${bare(code)})`,
      () => hooks.block(stmt.then, scoped(inner)),
      stmt.else.length === 0 ? undefined : () => hooks.block(stmt.else, scoped(inner)),
    )
  const form = vector === undefined ? 'uniform' : branchForm(stmt, vector.axis, context, declsOf(context))
  if (vector === undefined || form === 'uniform' || condition.lanes === 1) {
    test(condition.code, context)
    return
  }
  if (form === 'lanes') {
    const taken = bind(context, condition, 'taken').code
    eachLane(context, vector, (lane, i) => test(`${taken}[${i}]`, lane))
    return
  }
  const own: Value =
    context.mask === undefined
      ? condition
      : { ...condition, code: `(${context.mask.lanes.code} & ${condition.code})`, atom: false }
  const lanes = bind(context, own, 'taken')
  test(`any(${lanes.code})`, { ...context, mask: { lanes, inside: new Set() } })
}

const declsOf = (context: Context): Decls =>
  new Map([...context.memories].map(([name, m]) => [name, { decl: m.decl, register: m.register }]))

const eachLane = (context: Context, { axis, lanes }: VectorAxis, write: (lane: Context, i: number) => void): void => {
  for (let i = 0; i < lanes; i++) write(laneOf(context, axis, i), i)
}

/** Names bound inside a block end with it. */
export const scoped = (context: Context): Context => ({ ...context, lets: new Map(context.lets), named: new Map() })

/** A serial, unrolled or vector axis. */
export const writeLoop = (stmt: For, context: Context, body: (context: Context) => void): void => {
  const ranges = new Map(context.ranges).set(stmt.axis, axisRange(stmt.extent, context.ranges))
  const inner: Context = { ...scoped(context), ranges }
  const { extent } = stmt
  if (stmt.tag === 'vector' && ix.isConst(extent)) {
    const form = vectorForm(extent, stmt.body)
    if (form === 'vector' && (extent.value === 2 || extent.value === 3 || extent.value === 4)) {
      body({ ...inner, owned: new Set(), vector: { axis: stmt.axis, lanes: extent.value } })
      return
    }
    if (form === 'lanes') {
      for (let lane = 0; lane < extent.value; lane++) body(laneOf(inner, stmt.axis, lane))
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
  if (context.mask !== undefined && !context.mask.inside.has(target.buffer)) {
    const { mask } = context
    const current = loadLanes(memory, at, step, axis, lanes, context)
    const kept = `select(${splat(current, lanes).code}, ${splat(value, lanes).code}, ${mask.lanes.code})`
    put(target, { ...current, code: kept, lanes }, { ...context, mask: undefined })
    return
  }
  if (memory.place.kind === 'owned' && step.kind === 'uniform') {
    storeOwned(memory.place, at, splat(value, lanes), context)
    return
  }
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
  const op = combinerOp[stmt.reducer]
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
  if (vector === undefined || step === undefined || step.kind !== 'uniform' || memory.place.kind === 'owned') {
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
