/** @file tabulate: what several loops compute alike is computed once, into a table that they read. */
import { type Kernel, type Scalar, type Stmt, ix, scalar as sc, visitScalars } from '@quern/core-ir'
import type { Stage } from '../../lower/lowered-region.ts'
import { accessesOf } from '../access.ts'
import { scheduleError } from '../error.ts'
import { type Place, findLoop } from '../locate.ts'
import { primitive } from '../schedule.ts'
import {
  type Alloc,
  type For,
  bindersOf,
  childBlocks,
  freshName,
  namesOf,
  replaceLoop,
  rewriteScalar,
  scalarVariables,
} from '../tree.ts'

/**
 * `tabulate('e', 'k', 'j')`:
 *
 *     for k < n: let e = exp(x[k])           →   alloc private e_t: [n]
 *                s += e                          for e_t_0 < n: e_t[e_t_0] = exp(x[e_t_0])
 *     for j < n: let f = exp(x[j])               for k < n: let e = e_t[k]
 *                y[j] = f / s                               s += e
 *                                                for j < n: let f = e_t[j]
 *                                                           y[j] = f / s
 *
 * The loops stand in one block (or in loops of one iteration there), the one with the name first, and all run as often. The value
 * depends on nothing else that they bind, and on no buffer that is written from the first of them to the last.
 */
export const tabulate = primitive('tabulate', (s, name: string, first: string, ...others: string[]) => {
  const { kernel } = s
  const refuse = (reason: string, why: string, at: string): never => {
    throw scheduleError(kernel, 'tabulate', reason, why, at)
  }
  const [place, ...later] = [first, ...others].map(axis => seatOf(kernel, findLoop(kernel, axis, 'tabulate')))
  const found = place && letIn(place.loop, name)
  if (place === undefined || found === undefined)
    return refuse('no-such-name', `the body of ${first} binds no ${name}`, first)
  const places = [place, ...later]
  const once = new Set(places.flatMap(p => p.once))
  const value = along(found, first, first, once)
  const free = scalarVariables(value)
  const bound = new Set(bindersOf(place.loop.body))
  if ([...free].some(v => bound.has(v)))
    return refuse('depends', `${name} depends on what the body of ${first} binds besides`, first)
  for (const { loop, block, at } of places) {
    if (block !== place.block || at < place.at)
      return refuse('apart', `${loop.axis} does not follow ${first} in one block`, loop.axis)
    if (!ix.sameIndex(loop.extent, place.loop.extent) || loop.tag !== 'serial')
      return refuse('extent', `${loop.axis} does not run as often as ${first}, one iteration after another`, loop.axis)
    if (aliasesIn(loop, first, value, once).length === 0)
      return refuse('not-alike', `the body of ${loop.axis} binds no name to what ${name} is in ${first}`, loop.axis)
  }
  const read = new Set<string>()
  visitScalars(value, x => {
    if (x.kind === 'load') read.add(x.buffer)
  })
  const last = Math.max(...places.map(p => p.at))
  const written = accessesOf(place.block.slice(place.at, last + 1)).find(a => a.kind !== 'read' && read.has(a.buffer))
  if (written !== undefined)
    return refuse('written', `${written.buffer}, which ${name} is made of, is written in these loops`, first)

  const taken = namesOf(kernel)
  const table = freshName(taken, `${name}_t`)
  const axis = freshName(taken, `${table}_0`)
  const alloc: Alloc = {
    kind: 'alloc',
    space: 'private',
    buffer: { name: table, dtype: value.dtype, shape: [place.loop.extent] },
  }
  const fill: For = {
    kind: 'for',
    axis,
    extent: place.loop.extent,
    tag: 'serial',
    body: [{ kind: 'store', buffer: table, indices: [ix.variable(axis)], value: along(value, first, axis, once) }],
  }
  const reads = places.reduce(
    (k, { loop: { axis: own } }) =>
      replaceLoop(k, own, loop => {
        const alike = new Set(aliasesIn(loop, first, value, once))
        return [
          {
            ...loop,
            body: loop.body.map((x): Stmt =>
              alike.has(x) && x.kind === 'let' ? { ...x, value: sc.load(table, value.dtype, [ix.variable(own)]) } : x,
            ),
          },
        ]
      }),
    kernel,
  )
  const stage: Stage = { name: table, buffer: table, spatial: [axis], reduce: [], role: 'store' }
  const stages = s.stages.flatMap(x => (x.reduce.includes(first) || x.spatial.includes(first) ? [stage, x] : [x]))
  return { kernel: replaceLoop(reads, place.top, loop => [alloc, fill, loop]), stages }
})

const letIn = ({ body }: For, name: string): Scalar | undefined =>
  body.flatMap(s => (s.kind === 'let' && s.name === name ? [s.value] : []))[0]

/** A loop, where it stands when loops of one iteration are looked through. */
interface Seat {
  readonly loop: For
  readonly block: readonly Stmt[]
  readonly at: number
  /** The outermost of the loops of one iteration around it, or the loop itself. */
  readonly top: string
  /** Axes of these loops. */
  readonly once: readonly string[]
}

const seatOf = (kernel: Kernel, { loop, ancestors, block, at }: Place): Seat => {
  let seat: Seat = { loop, block, at, top: loop.axis, once: [] }
  for (let i = ancestors.length - 1; i >= 0; i--) {
    const around = ancestors[i]
    if (around?.kind !== 'for' || !ix.isConst(around.extent, 1)) break
    const parent = ancestors[i - 1]
    const blocks = parent === undefined ? [kernel.body] : childBlocks(parent)
    const own = blocks.find(b => b.includes(around)) ?? []
    seat = { loop, block: own, at: own.indexOf(around), top: around.axis, once: [...seat.once, around.axis] }
  }
  return seat
}

/** The value of an iteration, at another axis. */
const along = (value: Scalar, from: string, to: string, once: ReadonlySet<string>): Scalar =>
  rewriteScalar(value, {
    variable: name => (once.has(name) ? ix.constant(0) : name === from ? ix.variable(to) : undefined),
  })

/** The lets of a loop that hold what `value` is in iterations of `from`. */
const aliasesIn = (loop: For, from: string, value: Scalar, once: ReadonlySet<string>): readonly Stmt[] => {
  const { key } = along(value, from, loop.axis, once)
  return loop.body.filter(s => s.kind === 'let' && along(s.value, loop.axis, loop.axis, once).key === key)
}
