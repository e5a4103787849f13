/** @file block-sum: a long sum becomes a sum of shorter ones. */
import { type AccumulateOp, type Index, type Scalar, type Stmt, ix, scalar as sc } from '@quern/core-ir'
import { type Access, accessesOf } from '../access.ts'
import { scheduleError } from '../error.ts'
import { declOf, findLoop } from '../locate.ts'
import { primitive } from '../schedule.ts'
import {
  type For,
  bindersOf,
  editStmts,
  freshName,
  namesOf,
  replaceLoop,
  rewriteIndex,
  substitute,
  variablesOf,
} from '../tree.ts'

/**
 * `blockSum('k', 256)`, where k adds to one element, or to elements that inner axes of constant extents choose:
 *
 *     for k < n: acc[] sum= f(k)   →   for k_o < ceil(n / 256):
 *                                        alloc register acc_block: []
 *                                        acc_block[] = 0
 *                                        for k_i < min(256, n - 256 k_o): acc_block[] sum= f(256 k_o + k_i)
 *                                        acc[] sum= acc_block[]
 *
 * Rounding errors then grow with the length of a block and the number of blocks, not with their product. It needs no permission:
 * this *is* the order in which a long float sum is written, see {@link shortenSums}.
 */
export const blockSum = primitive('blockSum', (s, axis: string, length: number) => {
  const place = findLoop(s.kernel, axis, 'blockSum')
  const { loop } = place
  const refuse = (reason: string, why: string): never => {
    throw scheduleError(s.kernel, 'blockSum', reason, why, axis)
  }
  if (!Number.isSafeInteger(length) || length < 1)
    refuse('bad-length', `the length of a block is a positive integer, not ${length}`)
  if (loop.tag !== 'serial') refuse('not-serial', `${axis} is ${loop.tag}`)
  const found = sumOf(loop)
  if (found === undefined) return refuse('not-a-sum', `${axis} must hold one sum and write nothing else outside itself`)
  const { sum, choosing } = found
  const decl = declOf(s.kernel, sum.buffer)
  if (decl === undefined) return refuse('no-buffer', `${sum.buffer} is not known`)
  const whole = choosing.length > 0
  if (whole && !decl.shape.every(d => ix.isConst(d)))
    refuse('chooses-element', `${axis} adds to many elements of ${sum.buffer}, whose shape is not constant`)
  const taken = namesOf(s.kernel)
  const partial = freshName(taken, `${sum.buffer}_block`),
    outer = freshName(taken, `${axis}_o`),
    inner = freshName(taken, `${axis}_i`)
  const at: readonly Index[] = whole ? sum.indices : []
  /** A statement for every element that is added to, by loops like those that choose them. */
  const overAll = (suffix: string, body: (rename: (i: Index) => Index) => Stmt): Stmt => {
    const names = new Map(choosing.map(l => [l.axis, freshName(taken, `${l.axis}_${suffix}`)]))
    const rename = (i: Index): Index =>
      rewriteIndex(i, {
        variable: n => {
          const name = names.get(n)
          return name === undefined ? undefined : ix.variable(name)
        },
      })
    return choosing.reduceRight<Stmt>(
      (inside, l) => ({ ...l, axis: names.get(l.axis) ?? l.axis, body: [inside] }),
      body(rename),
    )
  }
  const reducer: AccumulateOp = 'sum'
  const zero: Scalar = sc.literal(0, decl.dtype)
  const blocks = ix.ceilDiv(loop.extent, length)
  const start = ix.mul(ix.variable(outer), length)
  const body = editStmts(substitute(loop.body, new Map([[axis, ix.add(start, ix.variable(inner))]])), x =>
    x.kind === 'accumulate' && x.buffer === sum.buffer ? [{ ...x, buffer: partial, indices: at }] : undefined,
  )
  const divides = ix.isConst(loop.extent) && loop.extent.value % length === 0
  const extent = divides ? ix.constant(length) : ix.min(length, ix.sub(loop.extent, start))
  return {
    kernel: replaceLoop(s.kernel, axis, () => [
      {
        ...loop,
        axis: outer,
        extent: blocks,
        body: [
          {
            kind: 'alloc',
            space: 'register',
            buffer: { name: partial, dtype: decl.dtype, shape: whole ? decl.shape : [] },
          },
          overAll('zero', rename => ({ kind: 'store', buffer: partial, indices: at.map(rename), value: zero })),
          { ...loop, axis: inner, extent, body },
          overAll('add', rename => ({
            kind: 'accumulate',
            buffer: sum.buffer,
            indices: sum.indices.map(rename),
            reducer,
            value: sc.load(partial, decl.dtype, at.map(rename)),
          })),
        ],
      },
    ]),
  }
})

/** The one sum of a loop, and the axes inside that choose its element; undefined where the loop does anything else. */
export const sumOf = (loop: For): { readonly sum: Access; readonly choosing: readonly For[] } | undefined => {
  const inside = new Set(bindersOf([loop]))
  const accesses = accessesOf([loop]).filter(a => !inside.has(a.buffer))
  const [sum, ...others] = accesses.filter(a => a.kind !== 'read')
  if (sum?.reducer !== 'sum' || others.length > 0 || accesses.some(a => a.kind === 'read' && a.buffer === sum.buffer))
    return undefined
  const names = new Set(sum.indices.flatMap(i => [...variablesOf(i)]).filter(n => inside.has(n)))
  if (names.has(loop.axis)) return undefined
  const choosing = sum.loops.filter(l => names.delete(l.axis))
  return names.size > 0 || choosing.some(l => !ix.isConst(l.extent)) ? undefined : { sum, choosing }
}
