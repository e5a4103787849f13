/** @file The params of a kernel while its statements are written. */
import { type LoopBuilder, type Param, type Stmt, type Value, ix } from '@quern/core-ir'
import { touched } from './touched.ts'

/** Params in the making: a buffer for each value that a kernel reads or writes. */
export class Params {
  private readonly names = new Map<Value, string>()
  private readonly rows = new Set<Value>()
  private readonly builder: LoopBuilder
  constructor(builder: LoopBuilder) {
    this.builder = builder
  }
  nameOf(value: Value, hint: string): string {
    const known = this.names.get(value)
    if (known !== undefined) return known
    const name = this.builder.fresh(hint)
    this.names.set(value, name)
    return name
  }
  adopt(value: Value, name: string): string {
    this.names.set(value, name)
    return name
  }
  /** A value of one element, to be written as a row of one: the loop over it tells its iterations apart. */
  asRow(value: Value): void {
    this.rows.add(value)
  }
  /** What the statements touch, in the order in which it was named. */
  finish(body: readonly Stmt[]): { params: Param[]; args: Value[] } {
    const { read, written } = touched(body)
    const used = [...this.names].filter(([, name]) => read.has(name) || written.has(name))
    return {
      args: used.map(([value]) => value),
      params: used.map(([value, name]) => ({
        name,
        dtype: value.type.dtype,
        shape: this.rows.has(value) ? [ix.constant(1)] : value.type.shape,
        access: !written.has(name) ? 'read' : read.has(name) ? 'read_write' : 'write',
      })),
    }
  }
}
