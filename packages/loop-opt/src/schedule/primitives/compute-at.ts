/** @file computeAt: a nest moves into a loop of another one, and computes there only what that iteration needs. */
import { type BufferDecl, type Index, type Kernel, type Scalar, type Stmt, ix } from '@quern/core-ir'
import { type Access, accessesOf } from '../access.ts'
import { withAxis } from '../bounds.ts'
import { guarded, insideConditions } from '../conditions.ts'
import { scheduleError } from '../error.ts'
import { type Place, allocsOf, declOf, findLoop, insideOf, loopsAround } from '../locate.ts'
import { type Box, boxOf, covers, disjointOver } from '../region.ts'
import { type Schedule, primitive } from '../schedule.ts'
import { shrinkInto } from '../shrink.ts'
import { type Alloc, type For, editStmts, substitute, visitStmts } from '../tree.ts'
import { perfectChain } from './reorder.ts'

/**
 * `computeAt('acc_init', 'acc_i')` moves a producer before its consumer's body, `computeAt('y', 'acc_i')` a consumer
 * behind its producer's:
 *
 *     for p < n: t[p] = f(p)                          for i < n:
 *     for i < n: … t[i] …                        →      for p < 1: t[i + p] = f(i + p)
 *     for q < n: y[q] = g(t[q])                         … t[i] …
 *                                                       for q < 1: y[i + q] = g(t[i + q])
 *
 * The moved nest is named by its stage or by one of its axes, and must not be split yet. Its buffer shrinks to what one
 * iteration needs as soon as nothing outside uses it.
 */
export const computeAt = primitive('computeAt', (s, nest: string, axis: string) => {
  const target = findLoop(s.kernel, axis, 'computeAt')
  const moved = rootOf(s, nest)
  const root = [...target.ancestors, target.loop].find(a => moved.block.includes(a))
  if (root === undefined || moved.loop === root || root.kind !== 'for')
    throw scheduleError(
      s.kernel,
      'computeAt',
      'not-siblings',
      `${moved.loop.axis} and the nest of ${axis} do not stand in one block`,
      moved.loop.axis,
    )
  visitStmts([moved.loop], x => {
    if (x.kind === 'for' && x.tag !== 'serial' && x.tag !== 'unroll' && x.tag !== 'vector')
      throw scheduleError(
        s.kernel,
        'computeAt',
        'not-serial',
        `${x.axis} is ${x.tag} already, and belongs outermost`,
        x.axis,
      )
  })
  const at = moved.block.indexOf(root)
  const before = moved.at < at
  const between = moved.block.slice(Math.min(at, moved.at) + 1, Math.max(at, moved.at)).filter(x => x.kind !== 'alloc')
  const plan = before ? planProducer(s, moved, target, root, between) : planConsumer(s, moved, target, root, between)
  const nestStmts = relocate(s.kernel, moved, target, plan)
  // What a nest that moves forwards writes must be allocated there already.
  const used = new Set(accessesOf([moved.loop]).map(a => a.buffer))
  const allocs = before
    ? []
    : moved.block.slice(at + 1, moved.at).filter((x): x is Alloc => x.kind === 'alloc' && used.has(x.buffer.name))
  const names = new Set(allocs.map(a => a.buffer.name))
  const edited = editStmts(s.kernel.body, x => {
    if (x.kind === 'alloc' && names.has(x.buffer.name)) return []
    if (x.kind !== 'for') return undefined
    if (x.axis === moved.loop.axis) return []
    const body = before ? [...nestStmts, ...x.body] : [...x.body, ...nestStmts]
    const nest: For = x.axis === axis ? { ...x, body } : x
    if (x.axis === root.axis) return [...allocs, nest]
    return x.axis === axis ? [nest] : undefined
  })
  const kernel: Kernel = { ...s.kernel, body: edited }
  return { kernel: shrinkInto(kernel, plan.buffer.name, axis) }
})

/** The outermost loop of a nest, by its stage's name or by an axis of it. */
const rootOf = (s: Schedule, nest: string): Place => {
  const stage = s.stages.find(x => x.name === nest)
  const axis = stage === undefined ? nest : [...stage.spatial, ...stage.reduce][0]
  if (axis === undefined) throw scheduleError(s.kernel, 'computeAt', 'no-axis', `the stage ${nest} has no loop`, nest)
  let place = findLoop(s.kernel, axis, 'computeAt')
  for (
    let parent = place.ancestors.at(-1);
    parent?.kind === 'for' && parent.body.length === 1;
    parent = place.ancestors.at(-1)
  )
    place = findLoop(s.kernel, parent.axis, 'computeAt')
  return place
}

interface Plan {
  readonly buffer: BufferDecl
  readonly box: Box
  /** The dim of the buffer that each spatial axis of the moved nest runs over. */
  readonly dims: ReadonlyMap<string, number>
  /**
   * How far the moved nest may go beyond its own extents: `no`; to the end of a local buffer, where nobody else keeps
   * anything (`buffer`); or anywhere, since the buffer shrinks to the box (`box`). Only fills that read nothing may.
   */
  readonly beyond: 'no' | 'buffer' | 'box'
}

const planProducer = (s: Schedule, moved: Place, target: Place, root: For, between: readonly Stmt[]): Plan => {
  const refuse = (reason: string, why: string): never => {
    throw scheduleError(s.kernel, 'computeAt', reason, why, moved.loop.axis)
  }
  const own = new Set(allocsOf([moved.loop]).map(a => a.buffer.name))
  const accesses = accessesOf([moved.loop]).filter(a => !own.has(a.buffer))
  const written = [...new Set(accesses.filter(a => a.kind !== 'read').map(a => a.buffer))]
  const [name] = written
  const buffer = name === undefined ? undefined : declOf(s.kernel, name)
  if (buffer === undefined || written.length !== 1)
    return refuse(
      'writes',
      `the nest of ${moved.loop.axis} must write one buffer, and writes ${written.join(', ') || 'none'}`,
    )
  const dims = dimsOf(
    s,
    moved,
    accesses.filter(a => a.buffer === buffer.name),
    buffer,
  )
  const reads = new Set(accesses.filter(a => a.kind === 'read' && a.buffer !== buffer.name).map(a => a.buffer))
  const around = accessesOf([...between, root])
  const clash =
    around.find(a => a.kind !== 'read' && reads.has(a.buffer)) ??
    accessesOf(between).find(a => a.buffer === buffer.name)
  if (clash !== undefined)
    refuse('order', `${clash.buffer} is used between the nest of ${moved.loop.axis} and the place it should move to`)
  const inside = accessesOf(target.loop.body).filter(a => a.buffer === buffer.name)
  if (inside.length === 0) refuse('unused', `the body of ${target.loop.axis} does not use ${buffer.name}`)
  const total = accessesOf([root]).filter(a => a.buffer === buffer.name).length
  const later =
    accessesOf(s.kernel.body).filter(a => a.buffer === buffer.name).length -
    total -
    accesses.filter(a => a.buffer === buffer.name).length
  if (total !== inside.length)
    refuse('used-elsewhere', `${buffer.name} is also used in the nest of ${root.axis} outside ${target.loop.axis}`)
  const box = boxOf(inside, buffer, insideOf(target))
  const loops = loopsFrom(target, root)
  // A nest that continues what is there may run once for each element only.
  const continues = accesses.some(a => a.buffer === buffer.name && a.kind !== 'write')
  const rewritten = continues || inside.some(a => a.kind !== 'read')
  if (rewritten && !disjointOver(box, loops, insideOf(target), buffer))
    refuse(
      'overlaps',
      `iterations of ${loops.map(l => l.axis).join(', ')} share elements of ${buffer.name}, which the body changes`,
    )
  const isParam = s.kernel.params.some(p => p.name === buffer.name)
  if ((later > 0 || isParam || continues) && !covers(box, loops, buffer.shape, insideOf(target)))
    refuse(
      'not-covered',
      `elements of ${buffer.name} that no iteration of ${target.loop.axis} computes are used elsewhere`,
    )
  return {
    buffer,
    box,
    dims,
    beyond: isParam || accesses.some(a => a.kind === 'read') ? 'no' : later === 0 ? 'box' : 'buffer',
  }
}

const planConsumer = (s: Schedule, moved: Place, target: Place, root: For, between: readonly Stmt[]): Plan => {
  const refuse = (reason: string, why: string): never => {
    throw scheduleError(s.kernel, 'computeAt', reason, why, moved.loop.axis)
  }
  const own = new Set(allocsOf([moved.loop]).map(a => a.buffer.name))
  const accesses = accessesOf([moved.loop]).filter(a => !own.has(a.buffer))
  const made = accessesOf(target.loop.body)
  const flow = [
    ...new Set(
      accesses
        .filter(a => a.kind === 'read' && made.some(m => m.kind !== 'read' && m.buffer === a.buffer))
        .map(a => a.buffer),
    ),
  ]
  const [name] = flow
  const buffer = name === undefined ? undefined : declOf(s.kernel, name)
  if (buffer === undefined || flow.length !== 1)
    return refuse(
      'flow',
      `the nest of ${moved.loop.axis} must read one buffer that the body of ${target.loop.axis} writes, and reads ${flow.join(', ') || 'none'}`,
    )
  const dims = dimsOf(
    s,
    moved,
    accesses.filter(a => a.buffer === buffer.name),
    buffer,
  )
  const writes = new Set(accesses.filter(a => a.kind !== 'read').map(a => a.buffer))
  const reads = new Set(accesses.filter(a => a.kind === 'read').map(a => a.buffer))
  const clash =
    accessesOf([...between, root]).find(
      a => writes.has(a.buffer) || (a.kind !== 'read' && reads.has(a.buffer) && a.buffer !== buffer.name),
    ) ?? accessesOf(between).find(a => a.buffer === buffer.name && a.kind !== 'read')
  if (clash !== undefined)
    refuse('order', `${clash.buffer} is used between ${target.loop.axis} and the nest of ${moved.loop.axis}`)
  const inside = made.filter(a => a.buffer === buffer.name)
  if (accessesOf([root]).filter(a => a.buffer === buffer.name).length !== inside.length)
    refuse('used-elsewhere', `${buffer.name} is also used in the nest of ${root.axis} outside ${target.loop.axis}`)
  const box = boxOf(inside, buffer, insideOf(target))
  const loops = loopsFrom(target, root)
  if (!disjointOver(box, loops, insideOf(target), buffer))
    refuse(
      'overlaps',
      `${buffer.name} is not complete after one iteration of ${loops.map(l => l.axis).join(', ')}: others change the same elements`,
    )
  const domainShape = buffer.shape.map((extent, d) =>
    [...dims].reduce<Index>(
      (e, [axis, dim]) => (dim === d ? findLoop(s.kernel, axis, 'computeAt').loop.extent : e),
      extent,
    ),
  )
  if (!covers(box, loops, domainShape, insideOf(target)))
    refuse(
      'not-covered',
      `iterations of ${target.loop.axis} do not make every element of ${buffer.name} that the nest of ${moved.loop.axis} reads`,
    )
  return { buffer, box, dims, beyond: 'no' }
}

/** Loops from the nest's root to the target, both included. */
const loopsFrom = (target: Place, root: For): For[] => {
  const all = [...loopsAround(target), target.loop]
  return all.slice(all.indexOf(root))
}

/** Which dim of the buffer each axis of the moved nest runs over: subscripts must be plain axes, or zero in a dim of one. */
const dimsOf = (s: Schedule, moved: Place, accesses: readonly Access[], buffer: BufferDecl): Map<string, number> => {
  const dims = new Map<string, number>()
  for (const a of accesses)
    for (const [d, index] of a.indices.entries()) {
      const plain =
        index.kind === 'var' && a.loops.some(l => l.axis === index.name) && (dims.get(index.name) ?? d) === d
      if (plain) dims.set(index.name, d)
      else if (!(ix.isConst(index, 0) && ix.isConst(buffer.shape[d] ?? index, 1)))
        throw scheduleError(
          s.kernel,
          'computeAt',
          'subscripts',
          `subscript ${d} of ${buffer.name} in the nest of ${moved.loop.axis} is ${index.key}, not an axis of its own; move a nest before it is split`,
          moved.loop.axis,
        )
    }
  const perDim = new Set(dims.values())
  if (perDim.size !== dims.size)
    throw scheduleError(
      s.kernel,
      'computeAt',
      'subscripts',
      `two axes of the nest of ${moved.loop.axis} run over one dim of ${buffer.name}`,
      moved.loop.axis,
    )
  return dims
}

/** The nest over one iteration's box. */
const relocate = (kernel: Kernel, moved: Place, target: Place, plan: Plan): readonly Stmt[] => {
  const low = (d: number): Index => plan.box.low[d] ?? ix.constant(0)
  const size = (d: number): Index => plan.box.size[d] ?? ix.constant(1)
  const values = new Map([...plan.dims].map(([axis, d]) => [axis, ix.add(low(d), ix.variable(axis))]))
  let domain = insideOf(target)
  const conditions = new Map<string, readonly Scalar[]>()
  for (const [axis, d] of plan.dims) {
    domain = withAxis(domain, axis, size(d))
    const extent =
      plan.beyond === 'buffer'
        ? (plan.buffer.shape[d] ?? ix.constant(1))
        : findLoop(kernel, axis, 'computeAt').loop.extent
    conditions.set(
      axis,
      plan.beyond === 'box' ? [] : insideConditions(ix.add(low(d), ix.variable(axis)), extent, domain),
    )
  }
  const chain = perfectChain(moved.loop)
  const isPerfect = [...plan.dims.keys()].every(axis => chain.some(l => l.axis === axis))
  const last = chain.filter(l => plan.dims.has(l.axis)).at(-1)?.axis
  // Conditions stand in the innermost loop of a perfect nest, so that it stays perfect; else each in its own loop.
  const conditionsIn = (axis: string): readonly Scalar[] =>
    isPerfect ? (axis === last ? [...conditions.values()].flat() : []) : (conditions.get(axis) ?? [])
  return editStmts(substitute([moved.loop], values), x => {
    const d = x.kind === 'for' ? plan.dims.get(x.axis) : undefined
    if (x.kind !== 'for' || d === undefined) return undefined
    return [{ ...x, extent: size(d), body: guarded(conditionsIn(x.axis), x.body) }]
  })
}
