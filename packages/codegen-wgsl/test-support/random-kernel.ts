/** @file Random kernels of workgroups and threads: phases between barriers, shared memory, vector axes, branches, gathers. */
import type { DType } from '@quern/artifact'
import {
  type AccumulateOp,
  type Index,
  type Kernel,
  type Param,
  type Scalar,
  type Stmt,
  isFloat,
  ix,
  scalar,
} from '@quern/core-ir'
import { type Choices, binaryOpsOn, clamped, inside, unaryOpsOn } from '../../core-ir/src/loop/testing/random-parts.ts'
import { isBasicBinary } from '../src/spelling/binary.ts'
import { isBasicUnary } from '../src/spelling/unary.ts'

/** Elements of a row; every param is [n, width]. */
export const width = 16
const computed: readonly DType[] = ['f32', 'i32', 'u8', 'u32', 'bool', 'i16', 'i8', 'u16', 'f16']

interface Register {
  readonly name: string
  readonly dtype: DType
  /** Four elements, one for each lane of a vector axis; else one element. */
  readonly wide: boolean
  /** The vector axis that it was allocated in. */
  readonly inside: string | undefined
}

/** What may be written and read at a point. */
interface Place {
  readonly lane: string | undefined
  readonly shared: 'own' | 'all'
}

export class KernelGenerator {
  private readonly c: Choices
  private readonly first: DType
  private readonly second: DType
  /** Threads of a workgroup: each owns `width / threads` columns of its row. */
  private readonly threads: number
  private fresh = 0
  private lets: { name: string; dtype: DType }[] = []
  private registers: Register[] = []
  private readonly row = ix.variable('row')

  constructor(c: Choices) {
    this.c = c
    this.first = c.of(computed)
    this.second = c.of(computed)
    this.threads = c.of([1, 4, 16])
  }

  kernel(): Kernel {
    const shape = [ix.variable('n'), ix.constant(width)]
    const param = (name: string, dtype: DType, access: Param['access']): Param => ({ name, dtype, shape, access })
    const padded = this.c.below(2) === 0
    const shared: Stmt = {
      kind: 'alloc',
      space: 'shared',
      buffer: {
        name: 's',
        dtype: this.first,
        shape: [ix.constant(4), ix.constant(4)],
        ...(padded && { strides: [ix.constant(5), ix.constant(1)] }),
      },
    }
    const cleared = this.columns().map((column): Stmt => this.storeShared(column, scalar.literal(1, this.first)))
    const phases = this.phases(1 + this.c.below(3))
    const inner: Stmt[] =
      this.c.below(3) === 0
        ? [{ kind: 'for', axis: 'trip', extent: ix.constant(2), tag: 'serial', body: phases }]
        : phases
    const body = [...cleared, { kind: 'barrier' } as const, ...inner]
    return {
      name: 'random',
      symbols: [{ name: 'n', min: 1, max: 9 }],
      params: [
        param('a', this.first, 'read'),
        param('b', this.second, 'read'),
        param('at', 'i32', 'read'),
        param('y', this.first, 'read_write'),
        param('z', this.second, 'read_write'),
      ],
      origins: [],
      body: [
        {
          kind: 'for',
          axis: 'row',
          extent: ix.variable('n'),
          tag: 'workgroup.x',
          body: [shared, { kind: 'for', axis: 't', extent: ix.constant(this.threads), tag: 'thread.x', body }],
        },
      ],
    }
  }

  private name(hint: string): string {
    return `${hint}${this.fresh++}`
  }
  private get owned(): number {
    return width / this.threads
  }
  /** The columns of this thread. */
  private columns(): Index[] {
    return Array.from({ length: this.owned }, (_, i) => ix.add(ix.mul(this.owned, ix.variable('t')), i))
  }
  private own(lane: string | undefined): Index {
    const start = ix.mul(this.owned, ix.variable('t'))
    if (lane === undefined) return ix.add(start, this.c.below(this.owned))
    return ix.add(start, this.c.of([0, 4].filter(x => x + 4 <= this.owned)), ix.variable(lane))
  }
  private any(lane: string | undefined): Index {
    const t = ix.variable('t')
    const base = this.c.of([
      t,
      ix.mul(this.owned, t),
      ix.sub(width - 1, t),
      ix.constant(this.c.below(9)),
      ix.floorDiv(t, 3),
    ])
    const moved =
      lane === undefined
        ? base
        : ix.add(base, this.c.of([ix.variable(lane), ix.mul(ix.variable(lane), 2), ix.constant(1), ix.variable(lane)]))
    return this.c.of([ix.mod(moved, width), ix.min(moved, width - 1), ix.mod(ix.mul(moved, 3), width)])
  }
  private sharedAt(column: Index): Index[] {
    return [ix.floorDiv(column, 4), ix.mod(column, 4)]
  }
  private storeShared(column: Index, value: Scalar): Stmt {
    return { kind: 'store', buffer: 's', indices: this.sharedAt(column), value }
  }

  private phases(count: number): Stmt[] {
    return Array.from({ length: count }, (): Stmt[] => [
      ...this.block({ lane: undefined, shared: 'own' }, 2),
      { kind: 'barrier' },
      ...this.block({ lane: undefined, shared: 'all' }, 2),
      { kind: 'barrier' },
    ]).flat()
  }

  /** Statements with names of their own; registers are stored at the end, so that what they hold matters. */
  private block(place: Place, depth: number): Stmt[] {
    const { lets, registers } = this
    this.lets = [...lets]
    this.registers = [...registers]
    const out: Stmt[] = []
    // Lanes branch often, over registers of their own: what divergence becomes has forms that are rare otherwise.
    if (place.lane !== undefined || this.c.below(2) === 0) out.push(...this.register(place))
    for (let i = 0; i <= this.c.below(4); i++) out.push(...this.statement(place, depth))
    for (const r of this.registers.slice(registers.length)) {
      const at = r.wide ? [place.lane === undefined ? ix.constant(this.c.below(4)) : ix.variable(place.lane)] : []
      const buffer = r.dtype === this.first ? 'y' : 'z'
      out.push({
        kind: 'store',
        buffer,
        indices: [this.row, this.own(place.lane)],
        value: scalar.load(r.name, r.dtype, at),
      })
    }
    this.lets = lets
    this.registers = registers
    return out
  }

  private register({ lane }: Place): Stmt[] {
    const dtype = this.c.of([this.first, this.second])
    const name = this.name('r')
    const wide = this.c.below(2) === 0
    this.registers.push({ name, dtype, wide, inside: lane })
    const set = (at: Index[]): Stmt => ({ kind: 'store', buffer: name, indices: at, value: scalar.literal(1, dtype) })
    return [
      { kind: 'alloc', space: 'register', buffer: { name, dtype, shape: wide ? [ix.constant(4)] : [] } },
      ...(wide ? [0, 1, 2, 3].map(i => set([ix.constant(i)])) : [set([])]),
    ]
  }

  private statement(place: Place, depth: number): readonly Stmt[] {
    const kind = this.c.below(9)
    if (kind <= 2 && depth > 0 && place.lane === undefined && this.owned >= 4) {
      const axis = this.name('v')
      return [
        { kind: 'for', axis, extent: ix.constant(4), tag: 'vector', body: this.block({ ...place, lane: axis }, 2) },
      ]
    }
    if (kind === 3 && depth > 0 && place.lane === undefined) {
      const axis = this.name('k')
      const extent = this.c.of([ix.constant(2), ix.variable('n'), ix.sub(5, ix.floorDiv(ix.variable('t'), 4))])
      return [{ kind: 'for', axis, extent, tag: 'serial', body: this.block(place, depth - 1) }]
    }
    if (kind === 4) {
      const dtype = this.c.of([this.first, this.second])
      const value = this.value(dtype, place, 2)
      const name = this.name('l')
      this.lets.push({ name, dtype })
      return [{ kind: 'let', name, value }]
    }
    if ((kind === 5 || (kind > 5 && place.lane !== undefined)) && depth > 0)
      return [
        {
          kind: 'if',
          condition: this.value('bool', place, 2),
          then: this.branch(place, depth - 1),
          else: this.c.below(place.lane === undefined ? 3 : 6) === 0 ? this.block(place, depth - 1) : [],
        },
      ]
    return this.writes(place)
  }

  private branch(place: Place, depth: number): Stmt[] {
    const kind = this.c.below(place.lane === undefined ? 3 : 6)
    if (kind === 0) return this.block(place, depth)
    // Branches that change registers only have a form of their own.
    return kind === 1 ? this.writes(place) : [...this.writes(place, true), ...this.writes(place, true)]
  }

  private writes(place: Place, toRegister = this.c.below(2) === 0): Stmt[] {
    // A register from outside that has no element for each lane is shared by them: not independent.
    const usable = this.registers.filter(r => place.lane === undefined || r.wide || r.inside === place.lane)
    const register = toRegister ? usable[this.c.below(usable.length)] : undefined
    if (register !== undefined) {
      const lane =
        place.lane !== undefined && (register.inside !== place.lane || this.c.below(2) === 0) ? place.lane : undefined
      const at = register.wide ? [lane === undefined ? ix.constant(this.c.below(4)) : ix.variable(lane)] : []
      return [this.write(register.name, register.dtype, at, place)]
    }
    const buffer = this.c.of(place.shared === 'own' ? ['y', 'z', 's'] : ['y', 'z'])
    const column = this.own(place.lane)
    if (buffer === 's') return [this.write('s', this.first, this.sharedAt(column), place)]
    return [this.write(buffer, buffer === 'y' ? this.first : this.second, [this.row, column], place)]
  }

  private write(buffer: string, dtype: DType, indices: readonly Index[], place: Place): Stmt {
    const value = this.value(dtype, place, 3)
    const joined: readonly AccumulateOp[] =
      dtype === 'bool' ? ['any', 'all'] : isFloat(dtype) ? ['sum', 'max', 'min'] : ['sum', 'prod', 'max', 'min']
    return this.c.below(3) === 0
      ? { kind: 'accumulate', buffer, indices, reducer: this.c.of(joined), value }
      : { kind: 'store', buffer, indices, value }
  }

  private value(dtype: DType, place: Place, depth: number): Scalar {
    const go = (d: DType): Scalar => this.value(d, place, depth - 1)
    const kind = depth <= 0 ? this.c.below(4) : this.c.below(10)
    const known = this.lets.filter(l => l.dtype === dtype)
    if (kind === 0) return scalar.literal(this.c.of(dtype === 'bool' ? [0, 1] : [0, 1, 2, 3, 100]), dtype)
    if (kind === 1 && known.length > 0) return scalar.ref(this.c.of(known).name, dtype)
    if (kind === 2 && dtype === 'i32') return scalar.indexScalar(ix.add(this.row, this.any(place.lane)))
    if (kind <= 4) return this.load(dtype, place, depth)
    if (kind === 5) return scalar.select(go('bool'), go(dtype), go(dtype))
    if (kind === 6) return scalar.cast(go(this.c.of([this.first, this.second, 'i32', 'bool'] as const)), dtype)
    if (dtype === 'bool' && this.c.below(2) === 0) {
      const of = this.c.of([this.first, this.second])
      return scalar.binary(
        this.c.of(of === 'bool' ? (['eq', 'ne'] as const) : (['lt', 'ge', 'eq', 'ne'] as const)),
        go(of),
        go(of),
      )
    }
    // Sums, differences and extrema of small whole numbers are exact in f32, in whatever way they are contracted.
    const inexact: readonly string[] = isFloat(dtype) ? ['mul', 'div', 'rem', 'sqrt'] : []
    if (kind === 7) {
      const ops = unaryOpsOn(dtype, op => isBasicUnary(op) && !inexact.includes(op))
      return scalar.unary(this.c.of(ops), go(dtype))
    }
    const ops = binaryOpsOn(dtype, op => isBasicBinary(op) && !inexact.includes(op))
    return scalar.binary(this.c.of(ops), go(dtype), go(dtype))
  }

  private load(dtype: DType, place: Place, depth: number): Scalar {
    const { lane } = place
    const register = this.registers.filter(
      r => r.dtype === dtype && (r.wide || r.inside === undefined || r.inside === lane),
    )
    if (register.length > 0 && this.c.below(3) === 0) {
      const r = this.c.of(register)
      return scalar.load(
        r.name,
        dtype,
        r.wide ? [lane === undefined ? ix.constant(this.c.below(4)) : ix.variable(lane)] : [],
      )
    }
    const mine = this.own(lane)
    const sources = [
      ...(dtype === this.first ? ['a', 's', 'y'] : []),
      ...(dtype === this.second ? ['b', 'z'] : []),
      ...(dtype === 'i32' ? ['at'] : []),
    ]
    if (sources.length === 0) return scalar.literal(dtype === 'bool' ? 1 : 3, dtype)
    const buffer = this.c.of(sources)
    // Lanes are independent: they read back what they write themselves.
    if (buffer === 'y' || buffer === 'z') return scalar.load(buffer, dtype, [this.row, mine])
    if (buffer === 's') return scalar.load('s', dtype, this.sharedAt(place.shared === 'all' ? this.any(lane) : mine))
    const how = this.c.below(5)
    if (how === 0 && depth > 0) {
      const raw = scalar.load('at', 'i32', [this.row, this.any(lane)])
      return scalar.load(buffer, dtype, [this.row, clamped(raw, width)])
    }
    if (how === 1) {
      const off = ix.add(this.any(lane), this.c.below(9) - 4)
      return scalar.load(buffer, dtype, [this.row, off], {
        guard: inside(off, width),
        fill: scalar.literal(dtype === 'bool' ? 1 : 7, dtype),
      })
    }
    return scalar.load(buffer, dtype, [
      how === 2 ? ix.sub(ix.sub(ix.variable('n'), 1), this.row) : this.row,
      how === 3 ? mine : this.any(lane),
    ])
  }
}
