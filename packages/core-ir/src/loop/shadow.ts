/**
 * @file Shadow memory: who touched each element. Two accesses race when they come from different agents (threads, iterations
 * of a parallel axis), at least one writes, and no barrier stands between them: they are of one epoch, or of different
 * workgroups, which no barrier orders.
 */
import type { AccessLog } from './memory.ts'

/** Who is running now. Ids count from 1. */
export interface Observer {
  readonly agent: number
  /** Counts barriers; an epoch belongs to one workgroup. */
  readonly epoch: number
  readonly workgroup: number
  readonly statement: number
  raced(buffer: string, race: Race): never
}

export interface Race {
  /** The statement of the earlier access, by id. */
  readonly earlier: number
  readonly kind: 'read after write' | 'write after read' | 'write after write'
  readonly indices: readonly number[]
  /** Absent: invocations. */
  readonly between?: 'lanes'
}

const none = 0
const several = -1

/** Shadow memory by cell: one for each element, or for each part of one where buffers of several dtypes share bytes. */
export interface Cells {
  read(cell: number, buffer: string, indices: readonly number[]): void
  write(cell: number, buffer: string, indices: readonly number[]): void
}

/** The log of a buffer whose element 0 is at cell `first`, each element taking `width` cells. */
export const logOf = (cells: Cells, buffer: string, first: number, width: number): AccessLog => {
  if (width === 1)
    return {
      read: (at, indices) => cells.read(first + at, buffer, indices),
      write: (at, indices) => cells.write(first + at, buffer, indices),
    }
  const each = (at: number, touch: (cell: number) => void): void => {
    for (let i = 0; i < width; i++) touch(first + at * width + i)
  }
  return {
    read: (at, indices) => each(at, c => cells.read(c, buffer, indices)),
    write: (at, indices) => each(at, c => cells.write(c, buffer, indices)),
  }
}

export class Shadow implements Cells {
  private readonly observer: Observer
  private readonly writer: Int32Array
  private readonly writeEpoch: Int32Array
  private readonly writeStatement: Int32Array
  private readonly writeGroup: Int32Array
  private readonly reader: Int32Array
  private readonly readEpoch: Int32Array
  private readonly readStatement: Int32Array
  private readonly readGroup: Int32Array

  constructor(cells: number, observer: Observer) {
    this.observer = observer
    const column = (): Int32Array => new Int32Array(cells)
    this.writer = column()
    this.writeEpoch = column()
    this.writeStatement = column()
    this.writeGroup = column()
    this.reader = column()
    this.readEpoch = column()
    this.readStatement = column()
    this.readGroup = column()
  }

  logOf(buffer: string, first = 0, width = 1): AccessLog {
    return logOf(this, buffer, first, width)
  }

  read(c: number, buffer: string, indices: readonly number[]): void {
    const { agent, epoch, workgroup, statement } = this.observer
    const wrote = this.writeGroup[c]
    if (wrote !== none && (wrote !== workgroup || (this.writeEpoch[c] === epoch && this.writer[c] !== agent)))
      this.observer.raced(buffer, { earlier: this.writeStatement[c] ?? none, kind: 'read after write', indices })
    if (this.readEpoch[c] !== epoch) {
      this.readEpoch[c] = epoch
      this.reader[c] = agent
    } else if (this.reader[c] !== agent) this.reader[c] = several
    const group = this.readGroup[c]
    this.readGroup[c] = group === none || group === workgroup ? workgroup : several
    this.readStatement[c] = statement
  }

  write(c: number, buffer: string, indices: readonly number[]): void {
    const { agent, epoch, workgroup, statement } = this.observer
    const wrote = this.writeGroup[c]
    if (wrote !== none && (wrote !== workgroup || (this.writeEpoch[c] === epoch && this.writer[c] !== agent)))
      this.observer.raced(buffer, { earlier: this.writeStatement[c] ?? none, kind: 'write after write', indices })
    const group = this.readGroup[c]
    if (group !== none && (group !== workgroup || (this.readEpoch[c] === epoch && this.reader[c] !== agent)))
      this.observer.raced(buffer, { earlier: this.readStatement[c] ?? none, kind: 'write after read', indices })
    this.writer[c] = agent
    this.writeEpoch[c] = epoch
    this.writeStatement[c] = statement
    this.writeGroup[c] = workgroup
  }
}
