/** @file stage: what a loop body needs of a buffer is copied into a nearer one first, and back where it is changed. */
import {
  type AllocSpace,
  type BufferDecl,
  type Index,
  type Kernel,
  type Scalar,
  type Stmt,
  ix,
  scalar as sc,
} from '@quern/core-ir'
import { accessesOf } from '../access.ts'
import { type Domain, factsOf, provesNonNegative, withAxis, withFacts } from '../bounds.ts'
import { allOf, guarded, insideConditions, isLess } from '../conditions.ts'
import { scheduleError } from '../error.ts'
import { type Place, allocsOf, constantExtent, declOf, findLoop, insideOf, loopsAround } from '../locate.ts'
import { type Box, boxOf, disjointOver } from '../region.ts'
import { primitive } from '../schedule.ts'
import { type Alloc, type For, freshName, namesOf, replaceLoop, rewriteStmts, variablesOf } from '../tree.ts'

export type StageOptions = {
  readonly space: AllocSpace
  /** Name of the copy; `<buffer>_t` where absent. Its copying axes are `<name>_0`, `<name>_1` … in the order of its dims. */
  readonly name?: string
  /** What elements outside the buffer hold in the copy: guarded loads of this fill lose their guard. */
  readonly fill?: number
  /** Dim of the source that each dim of the copy is. */
  readonly permute?: readonly number[]
  /** Only uses whose subscripts mention this axis: others go on reading the source. */
  readonly along?: string
  /** The copy is made once around the whole loop, not in each iteration. */
  readonly around?: boolean
  /** What the extents of the copy, by dim of the source, are rounded up to multiples of: whole blocks, where a layout cuts it. */
  readonly multiples?: readonly number[]
  /** Copy back afterwards; for accumulators. */
  readonly update?: boolean
  /** Thread axes that copy together, outermost first: shared memory, with a barrier before and after. */
  readonly threads?: readonly string[]
  /** Neighbouring elements that one of these threads copies at a time, in a loop `<name>_v` that may become a vector. */
  readonly lanes?: number
}

/**
 * `stage('x', 'i', { space: 'register' })`:
 *
 *     for i:                              for i:
 *       for j < 8: … x[i, j] …      →       alloc register x_t: [1, 8]
 *                                           for x_t_0 < 1: for x_t_1 < 8: x_t[x_t_0, x_t_1] = x[i + x_t_0, x_t_1]
 *                                           for j < 8: … x_t[0, j] …
 *
 * The copy holds the box that one iteration touches, so its size must be constant (or free of axes, in private memory).
 */
export const stage = primitive('stage', (s, buffer: string, axis: string, options: StageOptions) => {
  const place = findLoop(s.kernel, axis, 'stage')
  const decl = declOf(s.kernel, buffer)
  if (decl === undefined)
    throw scheduleError(s.kernel, 'stage', 'no-such-buffer', `${s.kernel.name} has no buffer ${buffer}`, axis)
  const region = options.around === true ? [place.loop] : place.loop.body
  const domain = options.around === true ? place.domain : insideOf(place)
  if (allocsOf(region).some(a => a.buffer.name === buffer))
    throw scheduleError(s.kernel, 'stage', 'local', `${buffer} is allocated in ${axis} itself`, axis)
  const { along } = options
  const chosen = (indices: readonly Index[]): boolean =>
    along === undefined || indices.some(i => variablesOf(i).has(along))
  const uses = accessesOf(region).filter(a => a.buffer === buffer && chosen(a.indices))
  if (uses.length === 0)
    throw scheduleError(s.kernel, 'stage', 'unused', `the body of ${axis} does not use ${buffer}`, axis)
  if (along !== undefined && accessesOf(region).some(a => a.buffer === buffer && a.kind !== 'read'))
    throw scheduleError(
      s.kernel,
      'stage',
      'along-written',
      `the body of ${axis} writes ${buffer}, and what goes on reading it would see what the copy does not`,
      axis,
    )
  if (options.update !== true && uses.some(a => a.kind !== 'read'))
    throw scheduleError(
      s.kernel,
      'stage',
      'written',
      `the body of ${axis} writes ${buffer}; say update: true to copy it back`,
      axis,
    )
  if (options.update === true && (uses[0]?.kind === 'write' || uses.every(a => a.kind === 'read')))
    throw scheduleError(
      s.kernel,
      'stage',
      'not-updated',
      `${axis} ${uses[0]?.kind === 'write' ? 'fills' : 'only reads'} ${buffer}, and update is for a buffer that it continues`,
      axis,
    )
  if (uses.some(a => a.conditional === true) && s.kernel.params.every(x => x.name !== buffer))
    throw scheduleError(
      s.kernel,
      'stage',
      'conditional',
      `${buffer} is used under a condition in ${axis}, and elements that nobody wrote yet would be copied`,
      axis,
    )
  const threads = (options.threads ?? []).map(t => findLoop(s.kernel, t, 'stage').loop)
  const touched = boxOf(uses, decl, domain, threads)
  if (options.multiples !== undefined && options.update === true)
    throw scheduleError(
      s.kernel,
      'stage',
      'multiples-update',
      `a copy of ${buffer} that is rounded up holds elements that nobody updates`,
      axis,
    )
  const box = { ...touched, size: touched.size.map((e, d) => ix.roundUp(e, options.multiples?.[d] ?? 1)) }
  if (options.space !== 'private' && !box.size.every(e => ix.isConst(e)))
    throw scheduleError(
      s.kernel,
      'stage',
      'size',
      `one iteration of ${axis} needs [${box.size.map(e => e.key).join(', ')}] of ${buffer}, which is not a constant size`,
      axis,
    )
  if (
    options.update === true &&
    !sharedLoops(place, options.around === true).every(l => disjointOver(box, [l], domain, decl))
  )
    throw scheduleError(
      s.kernel,
      'stage',
      'overlaps',
      `concurrent iterations around ${axis} copy back the same elements of ${buffer}`,
      axis,
    )
  const order = options.permute ?? decl.shape.map((_, d) => d)
  if (
    order.length !== decl.shape.length ||
    new Set(order).size !== order.length ||
    order.some(d => decl.shape[d] === undefined)
  )
    throw scheduleError(
      s.kernel,
      'stage',
      'permute',
      `a permutation of the ${decl.shape.length} dims of ${buffer} is needed, not [${order.join(', ')}]`,
      buffer,
    )
  const taken = namesOf(s.kernel)
  const name = freshName(taken, options.name ?? `${buffer}_t`)
  const copy: Copy = { kernel: s.kernel, place, domain, decl, name, box, order, fill: options.fill, taken, chosen }
  const alloc: Alloc = {
    kind: 'alloc',
    space: options.space,
    buffer: { name, dtype: decl.dtype, shape: order.map(d => box.size[d] ?? ix.constant(1)) },
  }
  const body = rewriteBody(copy, region)
  if (threads.length > 0) return { kernel: cooperative(copy, alloc, body, threads, options) }
  const into = nest(copy, '', (at, domain) => [
    { kind: 'store', buffer: name, indices: staged(copy, at), value: sourceValue(copy, at, domain) },
  ])
  const back =
    options.update !== true
      ? []
      : nest(copy, 'out', (at, domain) =>
          guarded(sourceConditions(copy, at, domain), [
            { kind: 'store', buffer, indices: source(copy, at), value: sc.load(name, decl.dtype, staged(copy, at)) },
          ]),
        )
  return {
    kernel: replaceLoop(s.kernel, axis, loop =>
      options.around === true
        ? [alloc, ...into, ...body, ...back]
        : [{ ...loop, body: [alloc, ...into, ...body, ...back] }],
    ),
  }
})

interface Copy {
  readonly kernel: Kernel
  readonly place: Place
  /** What is known where the copy is made. */
  readonly domain: Domain
  readonly decl: BufferDecl
  readonly name: string
  readonly box: Box
  readonly order: readonly number[]
  readonly fill: number | undefined
  readonly taken: Set<string>
  /** Whether a use of the source is one of the copy. */
  readonly chosen: (indices: readonly Index[]) => boolean
}

const sharedLoops = (place: Place, around: boolean): For[] =>
  [...loopsAround(place), ...(around ? [] : [place.loop])].filter(l => l.tag !== 'serial' && l.tag !== 'unroll')
const lowOf = (c: Copy, d: number): Index => c.box.low[d] ?? ix.constant(0)
/** Subscripts of the copy and of the source, given a position in the box per dim of the source. */
const staged = (c: Copy, at: readonly Index[]): Index[] => c.order.map(d => at[d] ?? ix.constant(0))
const source = (c: Copy, at: readonly Index[]): Index[] => at.map((x, d) => ix.add(lowOf(c, d), x))

const sourceConditions = (c: Copy, at: readonly Index[], domain: Domain): Scalar[] =>
  source(c, at).flatMap((x, d) => insideConditions(x, c.decl.shape[d] ?? x, domain))

/** The element of the source, guarded where the box may reach outside it. */
const sourceValue = (c: Copy, at: readonly Index[], domain: Domain): Scalar => {
  const guard = allOf(sourceConditions(c, at, domain))
  return sc.load(
    c.decl.name,
    c.decl.dtype,
    source(c, at),
    guard === undefined ? undefined : { guard, fill: sc.literal(c.fill ?? 0, c.decl.dtype) },
  )
}

/** Loops over the box, in the order of the copy's dims. */
const nest = (
  c: Copy,
  suffix: string,
  write: (at: readonly Index[], domain: Domain) => readonly Stmt[],
): readonly Stmt[] => {
  const axes = c.order.map((d, i) => ({
    name: freshName(c.taken, `${c.name}_${suffix}${i}`),
    extent: c.box.size[d] ?? ix.constant(1),
  }))
  const at = c.decl.shape.map((_, d) => ix.variable(axes[c.order.indexOf(d)]?.name ?? ''))
  const domain = axes.reduce((known, { name, extent }) => withAxis(known, name, extent), c.domain)
  return axes.reduceRight<readonly Stmt[]>(
    (body, { name, extent }) => [{ kind: 'for', axis: name, extent, tag: 'serial', body }],
    write(at, domain),
  )
}

/** The body on the copy; guards that only keep loads inside the source go where the copy holds the fill there. */
const rewriteBody = (c: Copy, body: readonly Stmt[]): readonly Stmt[] => {
  const redundant = redundantGuards(c, body)
  return rewriteStmts(body, {
    access: (buffer, indices) =>
      buffer === c.decl.name && c.chosen(indices)
        ? {
            buffer: c.name,
            indices: staged(
              c,
              indices.map((x, d) => ix.sub(x, lowOf(c, d))),
            ),
          }
        : undefined,
    scalar: x =>
      x.kind === 'load' &&
      x.buffer === c.name &&
      x.guard !== undefined &&
      x.fill !== undefined &&
      redundant.has(`${x.guard.key} ${x.indices.map(i => i.key).join()}`)
        ? sc.load(c.name, x.dtype, x.indices)
        : undefined,
  })
}

const redundantGuards = (c: Copy, body: readonly Stmt[]): Set<string> => {
  const found = new Set<string>()
  const fill = c.fill
  if (fill === undefined || c.box.whole.some(w => w)) return found
  rewriteStmts(body, {
    scalar: x => {
      if (
        x.kind !== 'load' ||
        x.buffer !== c.decl.name ||
        x.guard === undefined ||
        x.fill?.kind !== 'const' ||
        !Object.is(Number(x.fill.value), fill)
      )
        return undefined
      const { facts, complete } = factsOf(x.guard)
      const within = x.indices.flatMap((i, d) => [i, ix.sub(ix.sub(c.decl.shape[d] ?? i, i), 1)])
      const domain = withFacts(c.domain, within)
      if (complete && facts.every(f => provesNonNegative(f, domain)))
        found.add(
          `${x.guard.key} ${staged(
            c,
            x.indices.map((i, d) => ix.sub(i, lowOf(c, d))),
          )
            .map(i => i.key)
            .join()}`,
        )
      return undefined
    },
  })
  return found
}

/** All threads copy the box together, one element after another, between two barriers. */
const cooperative = (
  c: Copy,
  alloc: Alloc,
  body: readonly Stmt[],
  threads: readonly For[],
  options: StageOptions,
): Kernel => {
  const { kernel, place } = c
  const refuse = (reason: string, why: string): never => {
    throw scheduleError(kernel, 'stage', reason, why, place.loop.axis)
  }
  if (options.space !== 'shared' || options.update === true || options.around === true)
    refuse('threads-space', 'threads copy together into shared memory only, in each iteration, and not back')
  const around = loopsAround(place)
  const [first] = threads
  if (first === undefined || threads.some(t => !around.includes(t)))
    return refuse('threads-outside', `the thread axes must stand around ${place.loop.axis}`)
  const inner = place.ancestors.slice(place.ancestors.indexOf(first))
  if (inner.some(a => a.kind === 'if'))
    refuse('barrier-under-if', `a condition around ${place.loop.axis} would hold the barriers`)
  const extents = threads.map(
    t => constantExtent(t) ?? refuse('threads-extent', `the extent of ${t.axis} is not constant`),
  )
  const count = extents.reduce((a, b) => a * b, 1)
  // In the order of the source: what neighbouring threads read lies side by side.
  const sizes = c.box.size.map(e => {
    return e !== undefined && ix.isConst(e) ? e.value : refuse('size', 'the size is not constant')
  })
  const lanes = options.lanes ?? 1
  const width = sizes.at(-1) ?? 1
  if (width % lanes !== 0) refuse('lanes', `${lanes} elements at a time do not make up rows of ${width}`)
  // A unit is what a thread copies at a time.
  const units = [...sizes.slice(0, -1), width / lanes]
  const total = units.reduce((a, b) => a * b, 1)
  const axis = freshName(c.taken, `${c.name}_c`)
  const lane = lanes === 1 ? undefined : freshName(c.taken, `${c.name}_v`)
  const linear = ix.add(...threads.map((t, i) => ix.mul(ix.variable(t.axis), ...extents.slice(i + 1))))
  const unit = ix.add(ix.mul(ix.variable(axis), count), linear)
  const dims = units.map((size, i) => {
    const position = ix.mod(
      ix.floorDiv(
        unit,
        units.slice(i + 1).reduce((a, b) => a * b, 1),
      ),
      i === 0 ? total : size,
    )
    return lane !== undefined && i === units.length - 1 ? ix.add(ix.mul(position, lanes), ix.variable(lane)) : position
  })
  const at = dims
  const trips = Math.ceil(total / count)
  const known = withFacts(withAxis(c.domain, axis, ix.constant(trips)), [ix.sub(total - 1, unit)])
  const domain = lane === undefined ? known : withAxis(known, lane, ix.constant(lanes))
  const write: Stmt = { kind: 'store', buffer: c.name, indices: staged(c, at), value: sourceValue(c, at, domain) }
  const element: Stmt =
    lane === undefined ? write : { kind: 'for', axis: lane, extent: ix.constant(lanes), tag: 'serial', body: [write] }
  const copy: Stmt = {
    kind: 'for',
    axis,
    extent: ix.constant(trips),
    tag: 'serial',
    body: guarded(total % count === 0 ? [] : [isLess(unit, ix.constant(total))], [element]),
  }
  const filled = replaceLoop(kernel, place.loop.axis, loop => [{ ...loop, body: betweenBarriers(c, copy, body) }])
  return replaceLoop(filled, first.axis, loop => [alloc, loop])
}

/** The copy between two barriers; where the body begins with such copies already, it joins them. */
const betweenBarriers = (c: Copy, copy: Stmt, body: readonly Stmt[]): readonly Stmt[] => {
  const [first, ...rest] = body
  const end = rest.findIndex(x => x.kind === 'barrier')
  const before = accessesOf(rest.slice(0, Math.max(end, 0)))
  const joins =
    first?.kind === 'barrier' &&
    end >= 0 &&
    before.every(a => a.buffer !== c.name && (a.buffer !== c.decl.name || a.kind === 'read'))
  return joins ? [first, copy, ...rest] : [{ kind: 'barrier' }, copy, { kind: 'barrier' }, ...body]
}
