/** @file Which steps of a plan must wait for the team: those that touch memory which another member may still be at. */

/** Memory that a step reads and writes, by the names of its places. */
export interface Touches {
  /** `worker 0` runs it alone; `team`: every member runs its part. */
  readonly by: 'worker 0' | 'team'
  readonly reads: ReadonlySet<string>
  readonly writes: ReadonlySet<string>
}

/** Steps since the last barrier. */
export class Pending {
  private steps: readonly Touches[]
  constructor(steps: readonly Touches[] = []) {
    this.steps = steps
  }
  /** Whether a step must wait for the steps before it. What worker 0 does after its own work needs no waiting. */
  conflicts(next: Touches): boolean {
    return this.steps.some(
      s =>
        !(s.by === 'worker 0' && next.by === 'worker 0') &&
        (meet(s.writes, next.reads) || meet(s.writes, next.writes) || meet(s.reads, next.writes)),
    )
  }
  add(step: Touches): void {
    this.steps = [...this.steps, step]
  }
  clear(): void {
    this.steps = []
  }
  fork(): Pending {
    return new Pending(this.steps)
  }
  /** Either of two branches was taken. */
  join(a: Pending, b: Pending): void {
    this.steps = [...new Set([...a.steps, ...b.steps])]
  }
}

const meet = (a: ReadonlySet<string>, b: ReadonlySet<string>): boolean => [...a].some(x => b.has(x))
