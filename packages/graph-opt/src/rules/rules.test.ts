/** @file Every rule keeps the meaning of random graphs that contain its pattern, fires on them, and not on those that come near. */
import { readdirSync } from 'node:fs'
import { type DType, arrayOf } from '@quern/artifact'
import {
  type Graph,
  GraphBuilder,
  type HostTensor,
  type Index,
  type Rule,
  type Value,
  applyRules,
  interpretGraphSync,
  ix,
  printGraph,
  tensorType,
  verifyGraph,
} from '@quern/core-ir'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

/** Every rule that a file beside this one exports. */
const rules: readonly Rule[] = (
  await Promise.all(
    readdirSync(new URL('.', import.meta.url))
      .filter(f => f.endsWith('.ts') && !f.endsWith('.test.ts'))
      .map((f): Promise<Record<string, unknown>> => import(new URL(f, import.meta.url).href)),
  )
)
  .flatMap(module => Object.values(module))
  .filter((x): x is Rule => typeof x === 'object' && x !== null && 'match' in x && 'rewrite' in x)

const symbols = { n: 3, m: 2 } as const

/** What a row draws with. */
class Draw {
  readonly b = new GraphBuilder('g')
  private readonly next: () => number
  constructor(choices: readonly number[]) {
    let at = 0
    this.next = () => choices[at++ % choices.length] ?? 0
    for (const name of Object.keys(symbols)) this.b.declare({ name, min: 1, max: undefined, multipleOf: 1 })
  }
  int(min: number, max: number): number {
    return min + (this.next() % (max - min + 1))
  }
  pick<T>(xs: readonly T[]): T {
    const found = xs[this.int(0, xs.length - 1)]
    if (found === undefined) throw new Error('nothing to pick from')
    return found
  }
  /** Few different dims, so that those of two tensors are often the same. */
  dim(): Index {
    return this.pick([...[1, 2, 3].map(ix.constant), ...Object.keys(symbols).map(ix.variable)])
  }
  shape(rank: number): Index[] {
    return Array.from({ length: rank }, () => this.dim())
  }
  perm(rank: number): number[] {
    const left = Array.from({ length: rank }, (_, i) => i)
    return Array.from({ length: rank }, () => left.splice(this.int(0, left.length - 1), 1)[0] ?? 0)
  }
  /** An input, or something that a node computes of one. */
  value(shape: readonly Index[], dtype: DType = 'f32', name = 'x'): Value {
    const x = this.b.input(name, tensorType(dtype, [...shape]))
    return this.pick([true, false]) ? x : this.b.one('max', [x, x])
  }
  /** A constant of this number, in one of its spellings. */
  filled(value: number, shape: readonly Index[], dtype: DType): Value {
    const wide = dtype === 'i64'
    const constant = (values: number, extents: readonly number[]): Value =>
      this.b.one('constant', [], {
        data: { kind: 'inline', values: Array.from({ length: values }, () => (wide ? BigInt(value) : value)) },
        dtype,
        shape: extents,
      })
    const whole = shape.every(d => ix.isConst(d)) && this.pick([true, false])
    const count = shape.reduce((product, d) => product * ix.evaluateIndex(d, new Map(Object.entries(symbols))), 1)
    return whole
      ? constant(
          count,
          shape.map(d => ix.evaluateIndex(d, new Map())),
        )
      : this.b.one('broadcast', [constant(1, this.pick(shape.length === 0 ? [[]] : [[], [1]]))], { shape })
  }
  /** A constant of different numbers, none of them near zero. */
  numbers(shape: readonly number[], dtype: DType = 'f64'): Value {
    const values = Array.from({ length: shape.reduce((x, y) => x * y, 1) }, () => 0.5 + this.int(0, 63) / 32)
    return this.b.one('constant', [], { data: { kind: 'inline', values }, dtype, shape })
  }
}

interface Drawn {
  readonly y: Value
  /** Whether the rule must fire. */
  readonly fires: boolean
}
type Row = (d: Draw) => Drawn

const isIdentity = (perm: readonly number[]): boolean => perm.every((p, i) => p === i)
const sameShape = (a: readonly Index[], b: readonly Index[]): boolean =>
  a.map(d => d.key).join() === b.map(d => d.key).join()
/** A value of this shape, as the transpose of another. */
const transposed = (d: Draw, shape: readonly Index[], perm: readonly number[], name: string): Value => {
  const before = perm.map((_, axis) => shape[perm.indexOf(axis)] ?? ix.constant(1))
  return d.b.one('transpose', [d.value(before, 'f32', name)], { perm })
}

/** A product of two batches, one operand of which is transposed by any permutation, often that of the last two dims. */
const product =
  (side: 'lhs' | 'rhs'): Row =>
  d => {
    const [m, k, n] = d.shape(3)
    if (m === undefined || k === undefined || n === undefined) throw new Error('three dims')
    const batch = d.shape(d.int(0, 2))
    const attrs = { transposeLhs: d.pick([true, false]), transposeRhs: d.pick([true, false]) }
    const shapes = {
      lhs: [...batch, ...(attrs.transposeLhs ? [k, m] : [m, k])],
      rhs: [...batch, ...(attrs.transposeRhs ? [n, k] : [k, n])],
    }
    const rank = batch.length + 2
    const swap = [...batch.keys(), rank - 1, rank - 2]
    const turned = [...[...batch.keys()].reverse(), rank - 1, rank - 2]
    const perm = d.pick([swap, swap, turned, d.perm(rank)])
    const other = side === 'lhs' ? 'rhs' : 'lhs'
    const values = {
      [side]: transposed(d, shapes[side], perm, side),
      [other]: d.value(shapes[other], 'f32', other),
    }
    const operands = [values['lhs'], values['rhs']]
    return { y: d.b.one('matmul', operands, attrs), fires: sameShape(swap.map(ix.constant), perm.map(ix.constant)) }
  }

/** An op of a value and a constant, in either order. */
const neutral =
  (op: string, wanted: number, others: readonly number[], commutes: boolean): Row =>
  d => {
    const dtype = d.pick(['f32', 'f64', 'i32', 'i64'] as const)
    const shape = d.shape(d.int(0, 3))
    const isFloat = dtype.startsWith('f')
    // An integer has no second zero and no half.
    const value = d.pick([wanted, wanted, ...others.filter(v => isFloat || (Number.isInteger(v) && !Object.is(v, -0)))])
    const x = d.value(shape, dtype)
    const first = op !== 'div' && d.pick([true, false])
    const constant = d.filled(value, shape, dtype)
    const fires = Object.is(value, wanted) && (commutes || !first)
    return { y: d.b.one(op, first ? [constant, x] : [x, constant]), fires }
  }

/** A linear op with constant weights, perhaps a shift, and then `op` with what each channel, all of them or a row shares. */
const scaled =
  (op: 'mul' | 'div' | 'add' | 'sub', needsShift: boolean): Row =>
  d => {
    const rows = 3
    const x = d.value([ix.constant(rows), ix.constant(5)], 'f64')
    const transposeRhs = d.pick([true, false])
    const linear = d.b.one('matmul', [x, d.numbers(transposeRhs ? [4, 5] : [5, 4])], { transposeRhs })
    const { shape } = linear.type
    const spread = (by: readonly number[]): Value => d.b.one('broadcast', [d.numbers(by)], { shape })
    const shift = d.pick([true, false])
    const affine = shift ? d.b.one('add', [linear, spread([4])]) : linear
    const by = d.pick([[], [4], [1, 4], [rows, 1]])
    const swapped = (op === 'mul' || op === 'add') && d.pick([true, false])
    const constant = spread(by)
    return {
      y: d.b.one(op, swapped ? [constant, affine] : [affine, constant]),
      fires: by[0] !== rows && (shift || !needsShift),
    }
  }

const table: Readonly<Record<string, Row>> = {
  'drop-double-transpose': d => {
    const rank = d.int(1, 4)
    const inner = d.b.one('transpose', [d.value(d.shape(rank))], { perm: d.perm(rank) })
    const fires = d.pick([true, true, false])
    const between = fires ? inner : d.b.one('max', [inner, inner])
    return { y: d.b.one('transpose', [between], { perm: d.perm(rank) }), fires }
  },
  'drop-identity-transpose': d => {
    const perm = d.perm(d.int(1, 3))
    return { y: d.b.one('transpose', [d.value(d.shape(perm.length))], { perm }), fires: isIdentity(perm) }
  },
  'drop-identity-reshape': d => {
    const shape = d.shape(d.int(0, 3))
    const to = d.pick([shape, [ix.product(shape)], [ix.constant(1), ...shape], shape.filter(e => !ix.isConst(e, 1))])
    const op = d.pick(sameShape(to, shape) || to.length > shape.length ? ['reshape', 'broadcast'] : ['reshape'])
    return { y: d.b.one(op, [d.value(shape)], { shape: to }), fires: sameShape(to, shape) }
  },
  'join-reshapes': d => {
    const shape = d.shape(d.int(0, 3))
    const flat = d.b.one('reshape', [d.value(shape)], { shape: [ix.product(shape)] })
    const fires = d.pick([true, true, false])
    const between = fires ? flat : d.b.one('max', [flat, flat])
    const to = d.pick([[...shape].reverse(), [ix.constant(1), ...shape]])
    return { y: d.b.one('reshape', [between], { shape: to }), fires }
  },
  'absorb-transpose-lhs': product('lhs'),
  'absorb-transpose-rhs': product('rhs'),
  'add-zero': neutral('add', 0, [-0, 1, 0.5], true),
  'mul-one': neutral('mul', 1, [-1, 0, 0.5], true),
  'sub-zero': neutral('sub', 0, [-0, 1, 0.5], false),
  'div-one': neutral('div', 1, [-1, 2, 0.5], false),
  'double-negation': d => {
    const x = d.value(d.shape(d.int(0, 2)), d.pick(['f32', 'f64', 'i32', 'i64'] as const))
    const inner = d.pick(['neg', 'neg', 'abs'])
    return { y: d.b.one('neg', [d.b.one(inner, [x])]), fires: inner === 'neg' }
  },
  'fold-scale': scaled('mul', false),
  'fold-divisor': scaled('div', false),
  'join-shifts': scaled('add', true),
  'shift-by-difference': scaled('sub', false),
}

/** Numbers of both signs, among them zeros of both. */
const inputsOf = (graph: Graph): Record<string, HostTensor> =>
  Object.fromEntries(
    graph.inputs.map(({ name, value: { type } }, seed) => {
      const shape = type.shape.map(e => ix.evaluateIndex(e, new Map(Object.entries(symbols))))
      const data = new arrayOf[type.dtype](shape.reduce((x, y) => x * y, 1))
      for (let i = 0; i < data.length; i++) {
        const value = [1.5, -2.25, 0, -0, 3, -1, 0.75][(i * 5 + seed * 3) % 7] ?? 0
        data[i] = typeof data[i] === 'bigint' ? BigInt(Math.trunc(value)) : value
      }
      return [name, { dtype: type.dtype, shape, data }]
    }),
  )

/** Whether an element may stand for another: by its bits, but for the sign of a zero or rounding where the rule says so. */
const agree = (found: number | bigint, wanted: number | bigint, { numerics }: Rule): boolean =>
  Object.is(found, wanted) ||
  (numerics !== 'exact' && found === wanted) ||
  (numerics === 'algebraic' && Math.abs(Number(found) - Number(wanted)) <= 1e-9 * Math.max(1, Math.abs(Number(wanted))))

test('every rule has a row', () => {
  expect(rules.map(r => r.name).sort()).toEqual(Object.keys(table).sort())
})

describe.each(rules.map(rule => ({ name: rule.name, rule })))('$name', ({ name, rule }) => {
  test('keeps the meaning, and fires where it says', () => {
    const row = table[name]
    if (row === undefined) throw new Error(`${name} has no row`)
    const seen = new Set<boolean>()
    fc.assert(
      fc.property(fc.array(fc.nat(1 << 20), { minLength: 48, maxLength: 48 }), choices => {
        const d = new Draw(choices)
        const { y, fires } = row(d)
        const graph = d.b.finish({ y: d.pick([true, false]) ? y : d.b.one('max', [y, y]) })
        const { graph: after, fired } = applyRules(graph, [rule])
        seen.add(fires)
        expect(fired.length > 0, printGraph(graph)).toBe(fires)
        verifyGraph(after)
        const inputs = inputsOf(graph)
        const [wanted, found] = [graph, after].map(g => interpretGraphSync(g, inputs)['y'])
        expect(found?.shape).toEqual(wanted?.shape)
        const differing = Array.from<number | bigint>(wanted?.data ?? []).findIndex(
          (v, i) => !agree(found?.data[i] ?? NaN, v, rule),
        )
        expect(differing, `the first element that differs, in\n${printGraph(graph)}`).toBe(-1)
      }),
      { numRuns: 60 },
    )
    expect(seen.size).toBe(2)
  })
})
