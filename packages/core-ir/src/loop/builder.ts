/** @file Builds loop-language statements with fresh names; what loop-language semantics and lowering write with. */
import type { DType } from '@quern/artifact'
import { type Index, type IndexLike, toIndex, variable } from '../index/index-expr.ts'
import { type Scalar, load, ref } from '../scalar/scalar.ts'
import type { AccumulateOp, AllocSpace, AxisTag, Stmt } from './kernel.ts'

export interface BufferRef {
  readonly name: string
}

export class LoopBuilder {
  private readonly taken: Set<string>
  private readonly stack: Stmt[][] = [[]]
  constructor(taken: Iterable<string> = []) {
    this.taken = new Set(taken)
  }

  /** `hint`, or `hint_1`, `hint_2` … where it is taken. */
  fresh(hint: string): string {
    let name = hint
    for (let i = 1; this.taken.has(name); i++) name = `${hint}_${i}`
    this.taken.add(name)
    return name
  }

  private push(stmt: Stmt): void {
    this.stack.at(-1)?.push(stmt)
  }
  private block(write: () => void): readonly Stmt[] {
    this.stack.push([])
    write()
    return this.stack.pop() ?? []
  }

  for(hint: string, extent: IndexLike, body: (axis: Index) => void, tag: AxisTag = 'serial'): void {
    const axis = this.fresh(hint)
    this.push({ kind: 'for', axis, extent: toIndex(extent), tag, body: this.block(() => body(variable(axis))) })
  }

  /** Nested loops over a whole shape. */
  forAll(shape: readonly IndexLike[], body: (axes: readonly Index[]) => void, hint = 'i'): void {
    const go = (depth: number, axes: readonly Index[]): void => {
      const extent = shape[depth]
      if (extent === undefined) body(axes)
      else this.for(`${hint}${depth}`, extent, axis => go(depth + 1, [...axes, axis]))
    }
    go(0, [])
  }

  alloc(hint: string, dtype: DType, shape: readonly IndexLike[], space: AllocSpace = 'register'): LocalBuffer {
    const name = this.fresh(hint)
    this.push({ kind: 'alloc', space, buffer: { name, dtype, shape: shape.map(toIndex) } })
    return { name, at: (...indices) => load(name, dtype, indices.map(toIndex)) }
  }

  let(hint: string, value: Scalar): Scalar {
    const name = this.fresh(hint)
    this.push({ kind: 'let', name, value })
    return ref(name, value.dtype)
  }

  store(buffer: BufferRef, indices: readonly IndexLike[], value: Scalar): void {
    this.push({ kind: 'store', buffer: buffer.name, indices: indices.map(toIndex), value })
  }

  accumulate(buffer: BufferRef, indices: readonly IndexLike[], reducer: AccumulateOp, value: Scalar): void {
    this.push({ kind: 'accumulate', buffer: buffer.name, indices: indices.map(toIndex), reducer, value })
  }

  if(condition: Scalar, then: () => void, otherwise: () => void = () => {}): void {
    this.push({ kind: 'if', condition, then: this.block(then), else: this.block(otherwise) })
  }

  fail(reason: 'index-out-of-range' | 'loop-limit', at: IndexLike): void {
    this.push({ kind: 'fail', reason, at: toIndex(at) })
  }
  barrier(): void {
    this.push({ kind: 'barrier' })
  }

  /** The statements written so far. */
  finish(): readonly Stmt[] {
    return this.stack[0] ?? []
  }
}

export interface LocalBuffer extends BufferRef {
  at(...indices: readonly IndexLike[]): Scalar
}
