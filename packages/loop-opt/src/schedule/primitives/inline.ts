/** @file inline: a buffer's elements are computed where they are used. */
import { type Index, type Scalar, type Stmt, ix } from '@quern/core-ir'
import { accessesOf } from '../access.ts'
import { scheduleError } from '../error.ts'
import { allocsOf } from '../locate.ts'
import { primitive } from '../schedule.ts'
import { rewriteScalar, rewriteStmts, without } from '../tree.ts'
import { perfectChain } from './reorder.ts'

/**
 * `inline('t')`:
 *
 *     for i < n: t[i] = f(i)                 for j < m: y[j] = f(j + 1)
 *     for j < m: y[j] = t[j + 1]      →
 *
 * The buffer is local and is written by one perfect nest that stores one value, without reading it, at plain axes; what the
 * value reads must not change up to the last use.
 */
export const inline = primitive('inline', (s, buffer: string) => {
  const refuse = (reason: string, why: string): never => {
    throw scheduleError(s.kernel, 'inline', reason, why, buffer)
  }
  if (!allocsOf(s.kernel.body).some(a => a.buffer.name === buffer))
    refuse('not-a-local', `${buffer} is no local buffer of ${s.kernel.name}`)
  const block = findBlock(s.kernel.body, buffer)
  const producers = block.filter(
    x => x.kind !== 'alloc' && accessesOf([x]).some(a => a.buffer === buffer && a.kind !== 'read'),
  )
  const [producer] = producers
  if (producer === undefined || producers.length !== 1) return refuse('writers', `${buffer} is not written by one nest`)
  const chain = producer.kind === 'for' ? perfectChain(producer) : []
  const [store, ...more] = chain.at(-1)?.body ?? [producer]
  if (store?.kind !== 'store' || more.length > 0 || store.buffer !== buffer)
    return refuse('not-a-map', `the nest that writes ${buffer} does more than store one value`)
  const axes = store.indices.map(i => (i.kind === 'var' ? i.name : ''))
  const zero = store.indices.every((i, d) => ix.isConst(i, 0) || chain.some(l => l.axis === axes[d]))
  if (
    !zero ||
    new Set(axes.filter(a => a !== '')).size !== chain.length ||
    axes.filter(a => a !== '').length !== chain.length
  )
    return refuse('subscripts', `the subscripts of ${buffer} where it is written are not its axes`)
  const reads = accessesOf([store]).filter(a => a.kind === 'read')
  if (reads.some(a => a.buffer === buffer)) refuse('reads-itself', `${buffer} is computed from itself`)
  const after = block.slice(block.indexOf(producer) + 1)
  const changed = accessesOf(after).find(a => a.kind !== 'read' && reads.some(r => r.buffer === a.buffer))
  if (changed !== undefined)
    refuse('inputs-change', `${changed.buffer}, which ${buffer} is computed from, changes before it is used`)
  const uses = accessesOf(after).filter(a => a.buffer === buffer).length
  if (uses !== accessesOf(s.kernel.body).filter(a => a.buffer === buffer && a.kind === 'read').length)
    refuse('used-elsewhere', `${buffer} is used outside the block that computes it`)
  const valueAt = (indices: readonly Index[]): Scalar => {
    const values = new Map(axes.map((axis, d) => [axis, indices[d] ?? ix.constant(0)]))
    return rewriteScalar(store.value, { variable: name => values.get(name) })
  }
  const alloc = block.find(x => x.kind === 'alloc' && x.buffer.name === buffer)
  const body = without(s.kernel.body, new Set([producer, ...(alloc === undefined ? [] : [alloc])]))
  return {
    kernel: {
      ...s.kernel,
      body: rewriteStmts(body, {
        scalar: x => {
          if (x.kind !== 'load' || x.buffer !== buffer) return undefined
          // The value is total, so computing it where the guard is false would be harmless; its loads are not.
          if (x.guard !== undefined) return refuse('guarded-use', `a use of ${buffer} is guarded`)
          return valueAt(x.indices)
        },
      }),
    },
    stages: s.stages.filter(stage => stage.buffer !== buffer),
  }
})

/** The block that allocates the buffer. */
const findBlock = (block: readonly Stmt[], buffer: string): readonly Stmt[] => {
  if (block.some(x => x.kind === 'alloc' && x.buffer.name === buffer)) return block
  for (const x of block) {
    const inner =
      x.kind === 'for'
        ? findBlock(x.body, buffer)
        : x.kind === 'if'
          ? [...findBlock(x.then, buffer), ...findBlock(x.else, buffer)]
          : []
    if (inner.length > 0) return inner
  }
  return []
}
