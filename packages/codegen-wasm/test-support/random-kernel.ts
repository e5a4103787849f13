/** @file Tests only: random kernels of the loop language. */
import type { DType } from '@quern/artifact'
import {
  type AccumulateOp,
  type AxisTag,
  type Index,
  type Kernel,
  type Param,
  type Scalar,
  type Stmt,
  ix,
  scalar,
} from '@quern/core-ir'
import { type Choices, binaryOpsOn, clamped, inside, unaryOpsOn } from '../../core-ir/src/loop/testing/random-parts.ts'
import { isBasicBinary } from '../src/spelling/scalar-binary.ts'
import { isBasicUnary } from '../src/spelling/scalar-unary.ts'

/** Elements of every param: [n, 16] with n up to 9. */
export const width = 16
const computed: readonly DType[] = ['f32', 'i32', 'u8', 'f16', 'bool', 'i64', 'f64', 'u32', 'i16', 'u64']

interface Axis {
  readonly name: string
  /** Largest value. */
  readonly max: number
  readonly rows: boolean
}
interface Register {
  readonly name: string
  readonly dtype: DType
  readonly lanes: string | undefined
}

/** Writes a random kernel: nests with vector loops, registers, guards, lane conditions, gathers. */
export class Generator {
  private fresh = 0
  private readonly c: Choices
  private readonly dtype: DType
  private readonly other: DType
  private readonly parallel: boolean
  private lets: { name: string; dtype: DType }[] = []
  private registers: Register[] = []
  constructor(c: Choices, parallel: boolean) {
    this.c = c
    this.dtype = c.of(computed)
    this.other = c.of(computed)
    this.parallel = parallel
  }
  private name(hint: string): string {
    return `${hint}${this.fresh++}`
  }

  kernel(): Kernel {
    const shape = [ix.variable('n'), ix.constant(width)]
    // Some buffers have a capacity larger than their rows, and begin later.
    const wide = { strides: [ix.constant(width + 3), ix.constant(1)], offset: ix.constant(2) }
    const param = (name: string, dtype: DType, access: Param['access']): Param => ({
      name,
      dtype,
      shape,
      access,
      ...(this.c.below(3) === 0 ? wide : {}),
    })
    const params = [
      param('a', this.dtype, 'read'),
      param('b', this.other, 'read'),
      param('at', 'i32', 'read'),
      param('y', this.dtype, 'read_write'),
      param('z', this.other, 'read_write'),
    ]
    const body = Array.from({ length: 1 + this.c.below(2) }, () => this.nest([]))
    return { name: 'random', symbols: [{ name: 'n', min: 1, max: 9 }], params, body, origins: [] }
  }

  private nest(axes: readonly Axis[]): Stmt {
    const rows = !axes.some(a => a.rows)
    const axis = this.name(rows ? 'row' : 'col')
    if (rows) {
      const inner: Axis = { name: axis, max: 8, rows: true }
      // A kernel with a parallel axis is run by a team: outside such axes it could write nothing.
      const tag: AxisTag = this.parallel ? 'parallel' : 'serial'
      return { kind: 'for', axis, extent: ix.variable('n'), tag, body: this.block([inner]) }
    }
    const extent = 1 + this.c.below(4)
    return {
      kind: 'for',
      axis,
      extent: ix.constant(extent),
      tag: 'serial',
      body: this.block([...axes, { name: axis, max: extent - 1, rows: false }]),
    }
  }

  private block(axes: readonly Axis[]): Stmt[] {
    const savedLets = this.lets,
      savedRegisters = this.registers
    this.lets = [...savedLets]
    this.registers = [...savedRegisters]
    const out: Stmt[] = []
    if (this.c.below(2) === 0) out.push(...this.register(axes))
    for (let i = 0; i <= this.c.below(3); i++) {
      const kind = this.c.below(6)
      if (kind === 0 && axes.length < 3) out.push(this.nest(axes))
      else if (kind === 1) out.push(...this.statements(axes, undefined, 1))
      else out.push(this.vector(axes))
    }
    // Registers are read back, so that what they hold matters.
    for (const r of this.registers.slice(savedRegisters.length)) {
      const row = this.row(axes)
      const value = scalar.load(r.name, r.dtype, r.lanes === undefined ? [] : [ix.constant(this.c.below(4))])
      out.push({
        kind: 'store',
        buffer: r.dtype === this.dtype ? 'y' : 'z',
        indices: [row, ix.constant(this.c.below(width))],
        value: scalar.cast(value, r.dtype === this.dtype ? this.dtype : this.other),
      })
    }
    this.lets = savedLets
    this.registers = savedRegisters
    return out
  }

  private register(axes: readonly Axis[]): Stmt[] {
    const dtype = this.c.of([this.dtype, this.other])
    const name = this.name('r')
    const lanes = this.c.below(2) === 0 ? 'lanes' : undefined
    const shape = lanes === undefined ? [] : [ix.constant(4)]
    this.registers.push({ name, dtype, lanes })
    const zero = (at: Index[]): Stmt => ({ kind: 'store', buffer: name, indices: at, value: scalar.literal(1, dtype) })
    void axes
    return [
      { kind: 'alloc', space: this.c.of(['register', 'register', 'private'] as const), buffer: { name, dtype, shape } },
      ...(lanes === undefined ? [zero([])] : [0, 1, 2, 3].map(i => zero([ix.constant(i)]))),
    ]
  }

  private vector(axes: readonly Axis[]): Stmt {
    const axis = this.name('v')
    const extent = this.c.of([4, 4, 2, 8, 3])
    const saved = this.lets
    const savedRegisters = this.registers
    // A vector register of four lanes is met by vector loops of four only.
    this.registers = this.registers.filter(r => r.lanes === undefined || extent === 4)
    this.lets = [...saved]
    const body = this.statements(axes, { name: axis, max: extent - 1, rows: false }, 2)
    this.lets = saved
    this.registers = savedRegisters
    return { kind: 'for', axis, extent: ix.constant(extent), tag: 'vector', body }
  }

  private statements(axes: readonly Axis[], lane: Axis | undefined, depth: number): Stmt[] {
    const saved = this.lets
    this.lets = [...saved]
    const out: Stmt[] = []
    for (let i = 0; i <= this.c.below(3); i++) out.push(this.statement(axes, lane, depth))
    this.lets = saved
    return out
  }

  private statement(axes: readonly Axis[], lane: Axis | undefined, depth: number): Stmt {
    const kind = this.c.below(8)
    if (kind === 0) {
      const dtype = this.c.of([this.dtype, this.other])
      const name = this.name('t')
      const value = this.value(dtype, axes, lane, 2)
      this.lets.push({ name, dtype })
      return { kind: 'let', name, value }
    }
    if (kind === 1 && depth > 0) {
      const condition = this.value('bool', axes, lane, 2)
      return {
        kind: 'if',
        condition,
        then: this.statements(axes, lane, depth - 1),
        else: this.c.below(2) === 0 ? [] : this.statements(axes, lane, depth - 1),
      }
    }
    const register = kind <= 3 ? this.registers[this.c.below(Math.max(1, this.registers.length))] : undefined
    // Without lanes of its own, a register is shared by the lanes of a vector loop: not independent.
    if (register !== undefined && (lane === undefined || register.lanes !== undefined)) {
      const indices = register.lanes === undefined ? [] : [this.place(axes, lane)]
      return this.write(register.name, register.dtype, indices, axes, lane)
    }
    const buffer = this.c.of(['y', 'z'])
    const own = lane === undefined ? this.column(axes, lane, true) : this.own(buffer, axes, lane)
    return this.write(buffer, buffer === 'y' ? this.dtype : this.other, [this.row(axes), own], axes, lane)
  }

  /** An element of a register buffer of four: a lane's own, or (then it lives in memory) one that an axis chooses. */
  private place(axes: readonly Axis[], lane: Axis | undefined): Index {
    if (lane !== undefined) return ix.variable(lane.name)
    const axis = axes.at(-1)
    return axis === undefined || this.c.below(8) > 0 ? ix.constant(this.c.below(4)) : ix.mod(ix.variable(axis.name), 4)
  }

  /** The one column of a buffer that a lane of this vector loop writes, and may read back: lanes are independent. */
  private own(buffer: string, axes: readonly Axis[], lane: Axis): Index {
    const key = `${buffer} ${lane.name}`
    const known = this.owned.get(key)
    if (known !== undefined) return known
    const column = this.column(axes, lane, true)
    this.owned.set(key, column)
    return column
  }
  private readonly owned = new Map<string, Index>()

  private write(
    buffer: string,
    dtype: DType,
    indices: readonly Index[],
    axes: readonly Axis[],
    lane: Axis | undefined,
  ): Stmt {
    const value = this.value(dtype, axes, lane, 3)
    const joined: readonly AccumulateOp[] = dtype === 'bool' ? ['any', 'all'] : ['sum', 'prod', 'max', 'min']
    return this.c.below(3) === 0
      ? { kind: 'accumulate', buffer, indices, reducer: this.c.of(joined), value }
      : { kind: 'store', buffer, indices, value }
  }

  private row(axes: readonly Axis[]): Index {
    const row = axes.find(a => a.rows)
    return row === undefined ? ix.constant(0) : ix.variable(row.name)
  }
  /** A column inside the row; with `own`, one that no two lanes share. */
  private column(axes: readonly Axis[], lane: Axis | undefined, own = false): Index {
    const columns = axes.filter(a => !a.rows)
    const axis = columns[this.c.below(Math.max(1, columns.length))]
    const lanes = lane === undefined ? 0 : lane.max + 1
    const rest = width - Math.max(lanes, 1) - 6
    const base = ix.add(
      this.c.below(Math.max(1, rest)),
      axis === undefined ? 0 : ix.mul(ix.variable(axis.name), this.c.below(3)),
    )
    if (lane === undefined) return own ? base : this.bent(base)
    const v = ix.variable(lane.name)
    if (own) return lanes <= 4 && this.c.below(4) === 0 ? ix.add(ix.mod(base, 4), ix.mul(v, 3)) : ix.add(base, v)
    return this.bent(
      this.c.of([
        ix.add(base, v),
        base,
        v,
        ix.sub(lane.max, v),
        ix.mod(ix.mul(v, 2), 3),
        ix.mul(v, 2),
        ix.add(base, v),
      ]),
    )
  }
  private bent(x: Index): Index {
    return this.c.of([x, x, x, ix.floorDiv(x, 3), ix.mod(x, 5), ix.min(x, 7), ix.max(x, 2)])
  }

  private value(dtype: DType, axes: readonly Axis[], lane: Axis | undefined, depth: number): Scalar {
    const go = (d: DType): Scalar => this.value(d, axes, lane, depth - 1)
    const kind = depth <= 0 ? this.c.below(3) : this.c.below(10)
    const known = this.lets.filter(l => l.dtype === dtype)
    if (kind === 0) return scalar.literal(this.c.of([0, 1, 2, 3, 100]), dtype)
    if (kind === 1 && known.length > 0) {
      const { name } = this.c.of(known)
      return scalar.ref(name, dtype)
    }
    if (kind === 2 && (dtype === 'i32' || dtype === 'i64'))
      return scalar.indexScalar(ix.add(this.row(axes), this.column(axes, lane)), dtype)
    if (kind <= 4) return this.load(dtype, axes, lane, depth)
    if (kind === 5) return scalar.select(go('bool'), go(dtype), go(dtype))
    if (kind === 6) {
      const from = this.c.of([this.dtype, this.other, 'f32', 'i32', 'bool'] as const)
      return scalar.cast(go(from), dtype)
    }
    if (kind === 7 && dtype === 'f32') return scalar.intrinsic('madd', 'f32', [go('f32'), go('f32'), go('f32')])
    if (dtype === 'bool' && this.c.below(2) === 0) {
      const of = this.c.of([this.dtype, this.other])
      return scalar.binary(
        this.c.of(of === 'bool' ? (['eq', 'ne'] as const) : (['lt', 'ge', 'eq'] as const)),
        go(of),
        go(of),
      )
    }
    if (kind === 8) {
      const ops = unaryOpsOn(dtype, isBasicUnary)
      return scalar.unary(this.c.of(ops), go(dtype))
    }
    const ops = binaryOpsOn(dtype, isBasicBinary)
    return scalar.binary(this.c.of(ops), go(dtype), go(dtype))
  }

  private load(dtype: DType, axes: readonly Axis[], lane: Axis | undefined, depth: number): Scalar {
    const register = this.registers.find(r => r.dtype === dtype)
    if (register !== undefined && this.c.below(3) === 0) {
      // Another lane's element may be written by that lane: only its own is certain.
      const at = this.place(axes, lane)
      return scalar.load(register.name, dtype, register.lanes === undefined ? [] : [at])
    }
    // What is written is read too, where this lane writes it: rows are owned by their iteration.
    const result = dtype === this.dtype ? 'y' : dtype === this.other ? 'z' : undefined
    if (result !== undefined && this.c.below(4) === 0)
      return scalar.load(result, dtype, [
        this.row(axes),
        lane === undefined ? this.column(axes, lane) : this.own(result, axes, lane),
      ])
    const sources = [
      ...(dtype === this.dtype ? ['a'] : []),
      ...(dtype === this.other ? ['b'] : []),
      ...(dtype === 'i32' ? ['at'] : []),
    ]
    if (sources.length === 0) return scalar.literal(3, dtype)
    const buffer = this.c.of(sources)
    const column = this.column(axes, lane)
    const how = this.c.below(6)
    if (how === 0 && depth > 0) {
      // A gather: data, clamped, as a column.
      const raw = scalar.load('at', 'i32', [this.row(axes), this.column(axes, lane)])
      return scalar.load(buffer, dtype, [this.row(axes), clamped(raw, width)])
    }
    if (how === 1) {
      // A guard against both ends, some places before the row and after it.
      const off = ix.add(column, this.c.below(9) - 4)
      return scalar.load(buffer, dtype, [this.row(axes), off], {
        guard: inside(off, width),
        fill: scalar.literal(7, dtype),
      })
    }
    if (how === 2) return scalar.load(buffer, dtype, [ix.sub(ix.sub(ix.variable('n'), 1), this.row(axes)), column])
    return scalar.load(buffer, dtype, [this.row(axes), column])
  }
}
