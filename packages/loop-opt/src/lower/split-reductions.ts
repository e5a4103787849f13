/**
 * @file Long reductions to few results in parts: one kernel reduces blocks, another joins them, so that a team or a grid has
 * work. It stands in lowering, not in a schedule, because it decides the order of a sum: the blocks depend on shapes alone,
 * never on the number of threads, and every variant of a model sums alike.
 */
import {
  type BufferDecl,
  type Index,
  type Kernel,
  type Param,
  type Stmt,
  type SymbolInfo,
  type Value,
  ix,
  scalar as sc,
} from '@quern/core-ir'
import {
  type For,
  editStmts,
  freshName,
  namesOf,
  rewriteStmts,
  substitute,
  variablesOf,
  visitStmts,
} from '../schedule/tree.ts'
import type { LoweredRegion, Stage } from './lowered-region.ts'
import { symbolsOf, touched } from './touched.ts'
import { estimator } from './weight.ts'

/** Terms of one part: sixteen for each thread of a workgroup, 256 for each lane of four vectors. */
const block = 4096
/** Parts below which splitting is not worth a kernel more. */
const leastParts = 8

export interface SplitLimits {
  /** With so many results there is work for all without it. */
  readonly enoughResults: number
  /** Gives every nest a loop, over one row where its result is one element. */
  readonly loopOverOne?: boolean
}

interface RegionKernel {
  readonly region: LoweredRegion
  readonly args: readonly Value[]
}

export interface SplitKernels {
  readonly kernels: readonly RegionKernel[]
  /** What they hand to each other. */
  readonly scratch: readonly Value[]
}

/** One accumulator of a kernel, with its statements. */
interface Reduction {
  readonly decl: BufferDecl
  readonly init: Stage
  readonly update: Stage
  readonly fill: readonly Stmt[]
  readonly nest: readonly Stmt[]
  /** The reduce axis that is cut, where the reduction is long. */
  readonly cut: { readonly axis: string; readonly extent: Index; readonly length: number } | undefined
}

/** What is computed once a row, from totals, and kept: every kernel that reads it computes it again. */
interface RowValue {
  readonly decl: BufferDecl
  readonly stage: Stage
  readonly stmts: readonly Stmt[]
}

interface Parts {
  readonly reductions: readonly Reduction[]
  readonly values: readonly RowValue[]
  /** What is stored at the end. */
  readonly rest: readonly Stmt[]
}

export const splitReductions = (
  whole: RegionKernel,
  symbols: readonly SymbolInfo[],
  limits: SplitLimits,
): SplitKernels => {
  const same = { kernels: [whole], scratch: [] }
  const found = reductionsOf(whole.region, symbols, limits)
  return found === undefined || !found.reductions.some(r => r.cut !== undefined)
    ? same
    : (new Splitter(whole, found, symbols, limits).split() ?? same)
}

/** A kernel taken apart. Undefined where it holds anything else. */
const reductionsOf = (
  { kernel, stages }: LoweredRegion,
  symbols: readonly SymbolInfo[],
  limits: SplitLimits,
): Parts | undefined => {
  const estimate = estimator(symbols)
  const params = new Set(kernel.params.map(p => p.name))
  const decls = new Map<string, BufferDecl>()
  /** Statements by what they do: names that one binds go with it. */
  const parts: Record<'init' | 'update', Map<string, readonly Stmt[]>> = { init: new Map(), update: new Map() }
  const values: RowValue[] = []
  const rest: Stmt[] = []
  let bound: Stmt[] = []
  for (const s of kernel.body) {
    if (s.kind === 'alloc') {
      decls.set(s.buffer.name, s.buffer)
      continue
    }
    bound.push(s)
    if (s.kind === 'let') continue
    const [written, ...more] = [...touched([s]).written]
    if (written === undefined) return undefined
    if (params.has(written)) rest.push(...bound)
    else {
      const decl = decls.get(written)
      const stage = stages.find(x => x.role === 'store' && x.buffer === written)
      if (more.length > 0 || decl === undefined) return undefined
      const role = adds([s], written) ? 'update' : 'init'
      if (stage !== undefined) values.push({ decl, stage, stmts: bound })
      else if (parts[role].has(written)) return undefined
      else parts[role].set(written, bound)
    }
    bound = []
  }
  const reductions: Reduction[] = []
  for (const update of stages.filter(s => s.role === 'update')) {
    const init = stages.find(s => s.role === 'init' && s.buffer === update.buffer)
    const decl = decls.get(update.buffer)
    const fill = parts.init.get(update.buffer),
      nest = parts.update.get(update.buffer)
    if (init === undefined || decl === undefined || fill === undefined || nest === undefined) return undefined
    const loops = loopsIn(nest)
    const lengthOf = (axis: string): number => estimate(loops.get(axis)?.extent ?? ix.constant(1))
    const results = update.spatial.reduce((n, a) => n * lengthOf(a), 1)
    const [longest] = [...update.reduce].sort((a, b) => lengthOf(b) - lengthOf(a))
    const terms = update.reduce.reduce((n, a) => n * lengthOf(a), 1)
    const extent = longest === undefined ? undefined : loops.get(longest)?.extent
    const length = longest === undefined ? 1 : Math.ceil((block * lengthOf(longest)) / terms)
    // The parts of a triangle would have to know where they stand in it.
    const plain = update.reduce.every(a => {
      const x = loops.get(a)?.extent
      return x !== undefined && ![...variablesOf(x)].some(v => loops.has(v))
    })
    const isLong = results < limits.enoughResults && terms >= leastParts * block
    reductions.push({
      decl,
      init,
      update,
      fill,
      nest,
      cut: isLong && plain && longest !== undefined && extent ? { axis: longest, extent, length } : undefined,
    })
  }
  const complete = [...decls.keys()].every(name => [...reductions, ...values].some(r => r.decl.name === name))
  return complete && bound.length === 0 ? { reductions, values, rest } : undefined
}

const adds = (stmts: readonly Stmt[], buffer: string): boolean => {
  let found = false
  visitStmts(stmts, s => {
    if (s.kind === 'accumulate' && s.buffer === buffer) found = true
  })
  return found
}

const loopsIn = (stmts: readonly Stmt[]): ReadonlyMap<string, For> => {
  const loops = new Map<string, For>()
  visitStmts(stmts, s => {
    if (s.kind === 'for') loops.set(s.axis, s)
  })
  return loops
}

class Splitter {
  private readonly kernels: RegionKernel[] = []
  private readonly scratch: Value[] = []
  private readonly params: Param[]
  private readonly args: Value[]
  private readonly taken: Set<string>
  private readonly whole: RegionKernel
  private readonly parts: Parts
  /** Accumulators that are stored for later kernels, by name. */
  private readonly totals = new Map<string, Param>()
  private readonly symbols: readonly SymbolInfo[]
  private readonly limits: SplitLimits

  constructor(whole: RegionKernel, parts: Parts, symbols: readonly SymbolInfo[], limits: SplitLimits) {
    this.whole = whole
    this.parts = parts
    this.symbols = symbols
    this.limits = limits
    this.params = [...whole.region.kernel.params]
    this.args = [...whole.args]
    this.taken = new Set(namesOf(whole.region.kernel))
  }

  split(): SplitKernels | undefined {
    const { kernel, stages } = this.whole.region
    const { reductions, values, rest } = this.parts
    const stores = stages.filter(s => s.role === 'store' && !values.some(v => v.stage === s))
    const isShort =
      loopsIn(rest).size === 0 || stores.every(s => this.count(s.spatial, loopsIn(rest)) < this.limits.enoughResults)
    const stay: Reduction[] = []
    for (const [i, r] of reductions.entries()) {
      const nest = this.reading(r.nest)
      const readers = [...reductions.slice(i + 1).map(o => o.nest), ...values.map(v => v.stmts)]
      const later = readers.some(stmts => touched(stmts).read.has(r.decl.name))
      if (r.cut === undefined) {
        if (later) return undefined
        stay.push({ ...r, nest })
        continue
      }
      const joined = this.joined(r, this.blocks({ ...r, nest }, r.cut))
      if (isShort && !later) stay.push(joined)
      else this.totals.set(r.decl.name, this.total(joined))
    }
    const body = [...stay.flatMap(bodyOf), ...this.reading(rest)]
    this.add(kernel.name, body, [...stay.flatMap(r => [r.init, r.update]), ...stores])
    return { kernels: this.kernels, scratch: this.scratch }
  }

  private count(axes: readonly string[], loops: ReadonlyMap<string, For>): number {
    const estimate = estimator(this.symbols)
    return axes.reduce((n, a) => n * estimate(loops.get(a)?.extent ?? ix.constant(1)), 1)
  }

  /** Loads of totals in the place of loads of the accumulators. */
  private reading(stmts: readonly Stmt[]): readonly Stmt[] {
    return rewriteStmts(stmts, {
      access: (buffer, indices) => {
        const total = this.totals.get(buffer)
        if (total === undefined) return undefined
        return { buffer: total.name, indices: indices.length < total.shape.length ? [ix.constant(0)] : indices }
      },
    })
  }

  /** The values once a row that statements read, and those that these read. */
  private valuesFor(stmts: readonly Stmt[]): readonly RowValue[] {
    const needed = new Set(touched(stmts).read)
    const found: RowValue[] = []
    for (const v of [...this.parts.values].reverse()) {
      if (!needed.has(v.decl.name)) continue
      found.unshift(v)
      touched(v.stmts).read.forEach(name => needed.add(name))
    }
    return found
  }

  /**
   *     for i: for k < n: acc[i] += f(k)   →   for b < n / 4096: for i: for k < 4096: acc[b, i] += f(4096 b + k)
   *                                            for b: for i: store part[b, i] = acc[b, i]
   */
  private blocks(r: Reduction, { axis, extent, length }: NonNullable<Reduction['cut']>): Param {
    const { decl, update, init } = r
    const parts = ix.ceilDiv(extent, length)
    const part = this.scratchFor(`${decl.name}_part`, decl, [parts, ...decl.shape])
    const over = (suffix: string): { name: string; at: Index } => {
      const name = freshName(this.taken, `${decl.name}_b${suffix}`)
      return { name, at: ix.variable(name) }
    }
    const loop = (name: string, body: readonly Stmt[]): For => ({
      kind: 'for',
      axis: name,
      extent: parts,
      tag: 'serial',
      body,
    })
    const within = (stmts: readonly Stmt[], at: Index): readonly Stmt[] =>
      rewriteStmts(stmts, {
        access: (buffer, indices) => (buffer === decl.name ? { buffer, indices: [at, ...indices] } : undefined),
      })
    const fill = over('_init'),
      sum = over(''),
      put = over('_part')
    const start = ix.mul(sum.at, length)
    const even = ix.isConst(extent) && extent.value % length === 0
    const nest = editStmts(r.nest, s =>
      s.kind === 'for' && s.axis === axis
        ? [
            {
              ...s,
              extent: even ? ix.constant(length) : ix.min(length, ix.sub(extent, start)),
              body: substitute(s.body, new Map([[axis, ix.add(start, ix.variable(axis))]])),
            },
          ]
        : undefined,
    )
    const spatial = decl.shape.map((_, d) => freshName(this.taken, `${part.name}_i${d}`))
    const at = spatial.map(name => ix.variable(name))
    const store: Stmt = {
      kind: 'store',
      buffer: part.name,
      indices: [put.at, ...at],
      value: sc.load(decl.name, decl.dtype, [put.at, ...at]),
    }
    const stores = spatial.reduceRight<Stmt>(
      (inner, name, d) => ({
        kind: 'for',
        axis: name,
        extent: decl.shape[d] ?? ix.constant(1),
        tag: 'serial',
        body: [inner],
      }),
      store,
    )
    this.add(
      `${this.whole.region.kernel.name}_blocks`,
      [
        { kind: 'alloc', space: 'private', buffer: { ...decl, shape: [parts, ...decl.shape] } },
        loop(fill.name, within(r.fill, fill.at)),
        loop(sum.name, within(nest, sum.at)),
        loop(put.name, [stores]),
      ],
      [
        { ...init, spatial: [fill.name, ...init.spatial] },
        { ...update, spatial: [sum.name, ...update.spatial] },
        { name: part.name, buffer: part.name, spatial: [put.name, ...spatial], reduce: [], role: 'store' },
      ],
    )
    return part
  }

  /** The reduction over the parts. */
  private joined(r: Reduction, part: Param): Reduction {
    const axis = freshName(this.taken, `${r.decl.name}_b`)
    const loops = loopsIn(r.nest)
    const parts = part.shape[0] ?? ix.constant(1)
    let add: Stmt | undefined
    visitStmts(r.nest, s => {
      if (s.kind === 'accumulate')
        add = { ...s, value: sc.load(part.name, part.dtype, [ix.variable(axis), ...s.indices]) }
    })
    if (add === undefined) throw new Error(`${r.decl.name} is not accumulated`)
    const inner: Stmt = { kind: 'for', axis, extent: parts, tag: 'serial', body: [add] }
    const nest = r.update.spatial.reduceRight<Stmt>((body, a) => {
      const loop = loops.get(a)
      return loop === undefined ? body : { ...loop, body: [body] }
    }, inner)
    return { ...r, nest: [nest], update: { ...r.update, reduce: [axis] } }
  }

  /** A kernel that stores an accumulator. */
  private total(r: Reduction): Param {
    const { decl } = r
    const asRow = decl.shape.length === 0 && this.limits.loopOverOne === true
    const shape = asRow ? [ix.constant(1)] : decl.shape
    const param = this.scratchFor(`${decl.name}_total`, decl, shape)
    const axes = shape.map((_, d) => freshName(this.taken, `${param.name}_i${d}`))
    const at = axes.map(a => ix.variable(a))
    const store: Stmt = {
      kind: 'store',
      buffer: param.name,
      indices: at,
      value: sc.load(decl.name, decl.dtype, asRow ? [] : at),
    }
    const nest = axes.reduceRight<Stmt>(
      (body, axis, d) => ({ kind: 'for', axis, extent: shape[d] ?? ix.constant(1), tag: 'serial', body: [body] }),
      store,
    )
    this.add(
      `${this.whole.region.kernel.name}_total`,
      [...bodyOf(r), nest],
      [r.init, r.update, { name: param.name, buffer: param.name, spatial: axes, reduce: [], role: 'store' }],
    )
    return param
  }

  private scratchFor(hint: string, { dtype }: BufferDecl, shape: readonly Index[]): Param {
    const name = freshName(this.taken, hint)
    const node = this.whole.args.find(v => v.node !== undefined)?.node
    this.args.push({ type: { dtype, shape }, node, index: 0, name })
    const param: Param = { name, dtype, shape, access: 'write' }
    this.params.push(param)
    this.scratch.push(...this.args.slice(-1))
    return param
  }

  private add(name: string, own: readonly Stmt[], ownStages: readonly Stage[]): void {
    const values = this.valuesFor(own)
    const body = [
      ...values.flatMap((v): readonly Stmt[] => [
        { kind: 'alloc', space: 'private', buffer: v.decl },
        ...this.reading(v.stmts),
      ]),
      ...own,
    ]
    const stages = [...values.map(v => v.stage), ...ownStages]
    const { read, written } = touched(body)
    const used = this.params
      .map((_, i) => i)
      .filter(i => {
        const p = this.params[i]
        return p !== undefined && (read.has(p.name) || written.has(p.name))
      })
    const params = used.flatMap((i): Param[] => {
      const p = this.params[i]
      if (p === undefined) return []
      return [{ ...p, access: !written.has(p.name) ? 'read' : read.has(p.name) ? 'read_write' : 'write' }]
    })
    const kernel: Kernel = {
      name,
      symbols: symbolsOf(this.symbols, body, params),
      params,
      body,
      origins: this.whole.region.kernel.origins,
    }
    this.kernels.push({ region: { kernel, stages }, args: used.flatMap(i => this.args[i] ?? []) })
  }
}

const bodyOf = (r: Reduction): Stmt[] => [{ kind: 'alloc', space: 'private', buffer: r.decl }, ...r.fill, ...r.nest]
