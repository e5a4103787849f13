/** @file What loops for a grid share: a workgroup for each row along an axis, and its threads. */
import type { DType } from '@quern/artifact'
import { type Index, floorDiv, mod, product } from '../index/index-expr.ts'
import type { LoopBuilder } from '../loop/builder.ts'
import type { TensorType } from '../graph/graph.ts'
import { spliced } from './shapes.ts'

/** Threads of a workgroup that every device allows. */
export const mostThreads = 256

/** Dtypes whose elements are words, as workgroup memory has them. */
export const isWord = (d: DType): boolean => d === 'f32' || d === 'i32' || d === 'u32'

/** A workgroup for every place along the other axes; `body` gets the subscripts of an element of its row. */
export const rowsOfGrid = (
  b: LoopBuilder,
  { shape }: TensorType,
  axis: number,
  body: (at: (k: Index) => Index[]) => void,
): void => {
  const others = spliced(shape, axis, [])
  b.for(
    'row',
    product(others),
    row => {
      const places = others.map((extent, d) => {
        const rest = product(others.slice(d + 1))
        const whole = floorDiv(row, rest)
        return d === 0 ? whole : mod(whole, extent)
      })
      body(k => [...places.slice(0, axis), k, ...places.slice(axis)])
    },
    'workgroup.x',
  )
}

/** All threads once, and a barrier behind them. */
export const round = (b: LoopBuilder, threads: number, body: (thread: Index) => void): void => {
  b.for('thread', threads, body, 'thread.x')
  b.barrier()
}
