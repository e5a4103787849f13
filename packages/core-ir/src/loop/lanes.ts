/**
 * @file Finds lanes of a vector axis that are not independent: two of them touch one element in one run of the loop, and at
 * least one writes. The interpreter runs lanes one after the other, where generated code runs them together.
 */
import { type Cells, type Race, logOf } from './shadow.ts'
import type { AccessLog } from './memory.ts'

/** Which lane runs now; `run` counts runs of vector loops, and is 0 outside them. */
export interface LaneObserver {
  readonly lane: { readonly run: number; readonly at: number }
  readonly statement: number
  raced(buffer: string, race: Race): never
}

const several = -1

export class LaneShadow implements Cells {
  private readonly observer: LaneObserver
  private readonly writes: Int32Array
  private readonly writer: Int32Array
  private readonly reads: Int32Array
  private readonly reader: Int32Array
  private readonly statements: Int32Array

  constructor(cells: number, observer: LaneObserver) {
    this.observer = observer
    const column = (): Int32Array => new Int32Array(cells)
    this.writes = column()
    this.writer = column()
    this.reads = column()
    this.reader = column()
    this.statements = column()
  }

  logOf(buffer: string, first = 0, width = 1): AccessLog {
    return logOf(this, buffer, first, width)
  }

  read(c: number, buffer: string, indices: readonly number[]): void {
    const { run, at } = this.observer.lane
    if (run === 0) return
    if (this.writes[c] === run && this.writer[c] !== at) this.report(c, buffer, 'read after write', indices)
    this.reader[c] = this.reads[c] === run && this.reader[c] !== at ? several : at
    this.reads[c] = run
    this.statements[c] = this.observer.statement
  }

  write(c: number, buffer: string, indices: readonly number[]): void {
    const { run, at } = this.observer.lane
    if (run === 0) return
    if (this.writes[c] === run && this.writer[c] !== at) this.report(c, buffer, 'write after write', indices)
    if (this.reads[c] === run && this.reader[c] !== at) this.report(c, buffer, 'write after read', indices)
    this.writes[c] = run
    this.writer[c] = at
    this.statements[c] = this.observer.statement
  }

  private report(c: number, buffer: string, kind: Race['kind'], indices: readonly number[]): never {
    return this.observer.raced(buffer, { earlier: this.statements[c] ?? 0, kind, indices, between: 'lanes' })
  }
}
