/** @file Bytes that a scheduled kernel moves between the levels of a memory, by what its loops touch before they touch it again. */
import { bytesOf } from '@quern/artifact'
import { type BufferDecl, type Index, type Kernel, type Ranges, type Stmt, ix, rangeOf } from '@quern/core-ir'
import { type Access, accessesOf } from '../schedule/access.ts'
import { allocsOf } from '../schedule/locate.ts'
import { type For, variablesOf } from '../schedule/tree.ts'
import { type Sizes, inside, roundsOf, sizeOf } from './sizes.ts'

/** Bytes by buffer. */
export type Bytes = ReadonlyMap<string, number>

const line = 64

/**
 * What misses a cache of `capacity` bytes, the first touch of everything included. A loop whose whole body fits keeps what its
 * next round needs; one whose body does not brings in its body's misses anew in every round.
 */
export const missesOf = (kernel: Kernel, sizes: Sizes, capacity: number): Bytes =>
  new Reach(kernel).misses(kernel.body, sizes, capacity, new Map())

/** Every byte that a kernel touches, once. */
export const touchedBy = (kernel: Kernel, sizes: Sizes): Bytes =>
  new Reach(kernel).touched(kernel.body, sizes, new Map())

/** Rounds of axes that run at the same time as what is looked at: those of a workgroup's threads. */
type Together = ReadonlyMap<string, number>

class Reach {
  private readonly decls = new Map<string, BufferDecl>()
  constructor(kernel: Kernel) {
    for (const p of kernel.params) this.decls.set(p.name, p)
    for (const a of allocsOf(kernel.body)) if (a.space === 'private') this.decls.set(a.buffer.name, a.buffer)
  }

  misses(stmts: readonly Stmt[], sizes: Sizes, capacity: number, together: Together): Bytes {
    const all = this.touched(stmts, sizes, together)
    if (total(all) <= capacity) return all
    const sum = new Map<string, number>()
    const plain: Stmt[] = []
    for (const s of stmts) {
      if (s.kind === 'if') merge(sum, this.misses([...s.then, ...s.else], sizes, capacity, together), 1)
      else if (s.kind === 'for') merge(sum, this.missesOfLoop(s, sizes, capacity, together), 1)
      else plain.push(s)
    }
    merge(sum, this.touched(plain, sizes, together), 1)
    return sum
  }

  private missesOfLoop(loop: For, sizes: Sizes, capacity: number, together: Together): Bytes {
    const rounds = roundsOf(loop, sizes)
    const within = inside(sizes, loop.axis, rounds)
    if (loop.tag.startsWith('thread'))
      return this.misses(loop.body, within, capacity, new Map([...together, [loop.axis, rounds]]))
    if (total(this.touched(loop.body, within, together)) <= capacity) return this.touched([loop], sizes, together)
    const sum = new Map<string, number>()
    merge(sum, this.misses(loop.body, within, capacity, together), rounds)
    return sum
  }

  touched(stmts: readonly Stmt[], sizes: Sizes, together: Together): Bytes {
    const bytes = new Map<string, number>()
    for (const a of accessesOf(stmts)) {
      const decl = this.decls.get(a.buffer)
      if (decl === undefined) continue
      // Where one buffer is accessed in several places they are the same elements, or few beside them.
      bytes.set(a.buffer, Math.max(bytes.get(a.buffer) ?? 0, boxOf(a, decl, sizes, together)))
    }
    return bytes
  }
}

/** Bytes of the elements that an access reaches while the loops around it, up to the root that was asked about, run. */
const boxOf = ({ indices, loops }: Access, decl: BufferDecl, sizes: Sizes, together: Together): number => {
  const rounds = new Map(together)
  let within = sizes
  for (const loop of loops) {
    const n = roundsOf(loop, within)
    rounds.set(loop.axis, n)
    within = inside(within, loop.axis, n)
  }
  const ranges: Ranges = new Map(
    [...within].map(([name, at]) => {
      const n = rounds.get(name)
      return [name, n === undefined ? { min: at, max: at } : { min: 0, max: Math.max(0, n - 1) }]
    }),
  )
  const element = bytesOf[decl.dtype]
  return indices.reduce<number>(
    (bytes, index, d) => {
      const extent = sizeOf(decl.shape[d] ?? ix.constant(1), sizes)
      const { min, max } = rangeOf(index, ranges)
      const span = Math.min(extent, Number.isFinite(max - min) ? max - min + 1 : extent)
      const count = Math.min(span, roundsIn(index, rounds))
      if (d < indices.length - 1) return bytes * count
      // Elements that are apart bring a line each; a row is never more than what it holds.
      return bytes * Math.min(Math.max(span * element, Math.min(line, extent * element)), count * line)
    },
    indices.length === 0 ? element : 1,
  )
}

/** How many places a subscript may name: one for each round of its axes, or of all axes where data says which. */
const roundsIn = (index: Index, rounds: ReadonlyMap<string, number>): number => {
  let byData = false
  ix.visitAtoms(index, a => {
    byData ||= a.kind === 'value'
  })
  const axes = byData ? rounds.keys() : variablesOf(index)
  return [...axes].reduce((n, axis) => n * (rounds.get(axis) ?? 1), 1)
}

const merge = (into: Map<string, number>, from: Bytes, times: number): void => {
  for (const [name, bytes] of from) into.set(name, (into.get(name) ?? 0) + bytes * times)
}

export const total = (bytes: Bytes): number => [...bytes.values()].reduce((a, b) => a + b, 0)
