/** @file Running sums with the threads of a workgroup: sums of a few elements each, scanned in workgroup memory, and a carry. */
import { type Index, add, ceilDiv, isConst, mul, sub } from '../index/index-expr.ts'
import type { LoopBuilder } from '../loop/builder.ts'
import { binary, indexScalar, literal } from '../scalar/scalar.ts'
import type { LoopBuffer } from './define-op.ts'
import { mostThreads, round, rowsOfGrid } from './grid-rows.ts'
import { dim } from './shapes.ts'

interface Scan {
  readonly axis: number
  readonly exclusive: boolean
  readonly reverse: boolean
}

/** Elements of a thread in one go. */
const mostEach = 16

export const gridScan = (b: LoopBuilder, x: LoopBuffer, out: LoopBuffer, { axis, exclusive, reverse }: Scan): void => {
  const { dtype } = x.type
  const extent = dim(x.type, axis)
  const length = isConst(extent) ? extent.value : mostThreads * 4
  const steps = Math.ceil(Math.log2(Math.min(mostThreads, Math.max(2, length))))
  const threads = 2 ** steps
  const each = Math.min(mostEach, Math.ceil(length / threads))
  const zero = literal(0, dtype)
  rowsOfGrid(b, x.type, axis, place => {
    const at = (k: Index): Index[] => place(reverse ? sub(sub(extent, 1), k) : k)
    const carry = b.alloc('carry', dtype, [])
    const sums = [0, 1].map(i => b.alloc(`sums${i}`, dtype, [threads], 'shared'))
    const [first, second] = sums
    if (first === undefined || second === undefined) return
    b.store(carry, [], zero)
    b.for('chunk', ceilDiv(extent, threads * each), chunk => {
      /** The thread's own elements, in order. */
      const own = (thread: Index, body: (k: Index) => void): void =>
        b.for('e', each, e => {
          const k = add(mul(chunk, threads * each), mul(thread, each), e)
          b.if(binary('lt', indexScalar(k), indexScalar(extent)), () => body(k))
        })
      round(b, threads, t => {
        b.store(first, [t], zero)
        own(t, k => b.accumulate(first, [t], 'sum', x.at(...at(k))))
      })
      for (let step = 0; step < steps; step++) {
        const [from, to] = step % 2 === 0 ? [first, second] : [second, first]
        round(b, threads, t => {
          b.store(to, [t], from.at(t))
          b.if(binary('ge', indexScalar(t), literal(2 ** step, 'i32')), () =>
            b.accumulate(to, [t], 'sum', from.at(sub(t, 2 ** step))),
          )
        })
      }
      const scanned = steps % 2 === 0 ? first : second
      round(b, threads, t => {
        const total = b.alloc('total', dtype, [])
        b.store(total, [], carry.at())
        b.if(binary('ge', indexScalar(t), literal(1, 'i32')), () =>
          b.accumulate(total, [], 'sum', scanned.at(sub(t, 1))),
        )
        own(t, k => {
          if (exclusive) b.store(out, at(k), total.at())
          b.accumulate(total, [], 'sum', x.at(...at(k)))
          if (!exclusive) b.store(out, at(k), total.at())
        })
      })
      b.accumulate(carry, [], 'sum', scanned.at(threads - 1))
      b.barrier()
    })
  })
}
