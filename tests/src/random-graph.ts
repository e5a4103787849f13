/**
 * @file Random small graphs of neighbours that fuse. Those over floats have only ops that change little where their operands
 * change little, so that rounding in another order stays small; those over integers and truths are exact.
 */
import type { DType } from '@quern/artifact'
import {
  type Graph,
  GraphBuilder,
  type HostTensor,
  type Index,
  type Value,
  interpretGraphSync,
  isFloat,
  ix,
} from '@quern/core-ir'
import type { Draw } from '../../packages/core-ir/src/ops/testing/draw.ts'
import { numbersOf, randomTensor } from '../../packages/core-ir/src/ops/testing/support.ts'

export interface RandomGraph {
  readonly graph: Graph
  /** Every value of the graph as an output, by the interpreter. */
  meaning(inputs: Readonly<Record<string, HostTensor>>): Readonly<Record<string, HostTensor>>
  inputs(d: Draw, rows: number): Record<string, HostTensor>
}

const integers = ['i32', 'u8', 'i8', 'u32', 'i16', 'u16', 'i64', 'u64'] as const
const sizes = [1, 2, 3, 4, 5, 8, 16, 17]
const rowsSymbol = 'n'
/** Rows of a graph whose first dim is a symbol: both sides of vectors and tiles. */
export const rowCounts = [1, 3, 4, 5, 16, 17, 33, 0] as const

class Writer {
  readonly values: Value[] = []
  private readonly d: Draw
  private readonly b: GraphBuilder
  private readonly rows: Index
  private readonly exact: boolean
  constructor(d: Draw, b: GraphBuilder, rows: Index, exact: boolean) {
    this.d = d
    this.b = b
    this.rows = rows
    this.exact = exact
  }

  input(name: string): void {
    const dtype = this.exact ? this.d.dtype(...integers, 'bool') : 'f32'
    const tail = Array.from({ length: this.d.int(0, 2) }, () => ix.constant(this.d.of(...sizes)))
    this.values.push(this.b.input(name, { dtype, shape: [this.rows, ...tail] }))
  }

  /** One more node or two, where what was drawn can be made of what is there. */
  step(): void {
    const x = this.d.of(...this.values)
    const made = this.exact && this.d.flag() ? this.exactly(x) : this.d.int(0, 2) === 0 ? this.moved(x) : this.mixed(x)
    if (made !== undefined && this.isSmall(made)) this.values.push(made)
  }

  private isSmall({ type }: Value): boolean {
    const { max } = { max: type.shape.reduce((n, e) => n * (ix.isConst(e) ? e.value : 33), 1) }
    return type.shape.length <= 4 && max <= 20_000
  }
  private constant(dtype: DType, shape: readonly number[], of: (x: number) => number = x => x): Value {
    const values = numbersOf(randomTensor(dtype, shape, this.d.int(0, 0xffff))).map(of)
    return this.b.one('constant', [], { data: { kind: 'inline', values }, dtype, shape })
  }
  /** A value of the same shape and, but for `dtype`, of the same dtype. */
  private like(x: Value, dtype: DType = x.type.dtype): Value | undefined {
    const found = this.values.filter(
      v => v.type.dtype === dtype && v.type.shape.map(e => e.key).join() === x.type.shape.map(e => e.key).join(),
    )
    return found.length === 0 ? undefined : this.d.of(...found)
  }
  private last(x: Value): number | undefined {
    const e = x.type.shape.at(-1)
    return e !== undefined && ix.isConst(e) && e.value > 0 ? e.value : undefined
  }

  /** Element-wise, reductions, products. */
  private mixed(x: Value): Value | undefined {
    const { d, b } = this
    const { dtype, shape } = x.type
    const rank = shape.length
    const float = isFloat(dtype)
    switch (d.int(0, 8)) {
      case 0:
        if (dtype === 'bool') return b.one('not', [x])
        return b.one(
          float ? d.of('abs', 'neg', 'relu', 'tanh', 'sigmoid', 'erf', 'gelu', 'silu') : d.of('abs', 'neg', 'relu'),
          [x],
        )
      case 1:
      case 2: {
        const y = this.like(x)
        if (y === undefined) return undefined
        return b.one(dtype === 'bool' ? d.of('and', 'or', 'xor') : d.of('add', 'sub', 'mul', 'max', 'min'), [x, y])
      }
      case 3: {
        // A row of constants stretched over x: a bias or a scale.
        const width = this.last(x)
        if (width === undefined || dtype === 'bool') return undefined
        const row = this.constant(dtype, [width])
        return b.one(d.of('add', 'mul', 'max'), [x, b.one('broadcast', [row], { shape })])
      }
      case 4: {
        if (rank === 0) return undefined
        const { given } = d.axis(rank)
        const op = dtype === 'bool' ? d.of('reduce-any', 'reduce-all') : d.of('reduce-sum', 'reduce-max', 'reduce-min')
        return b.one(op, [x], { axes: [given], keepDims: d.flag() })
      }
      case 5: {
        // A reduction stretched back over what it came from.
        if (rank === 0 || dtype === 'bool') return undefined
        const { axis } = d.axis(rank)
        const kept = b.one(d.of('reduce-max', 'reduce-min'), [x], { axes: [axis], keepDims: true })
        return b.one('sub', [x, b.one('broadcast', [kept], { shape })])
      }
      case 6: {
        const width = this.last(x)
        if (width === undefined || rank < 2 || dtype === 'bool') return undefined
        const out = d.of(...sizes, 33)
        // Small weights, so that values stay as large as they were.
        return b.one('matmul', [x, this.constant(dtype, [width, out], w => (float ? w / width : w))])
      }
      case 7: {
        if (rank < 2 || dtype === 'bool') return undefined
        const y = this.like(x)
        return y && b.one('matmul', [x, y], { transposeRhs: true })
      }
      default: {
        if (rank === 0 || !float) return undefined
        const width = this.last(x)
        if (width === undefined) return b.one('softmax', [x], { axis: d.int(0, rank - 1) })
        const op = d.of('softmax', 'log-softmax', 'layer-norm', 'rms-norm')
        if (op === 'softmax' || op === 'log-softmax') return b.one(op, [x], { axis: -1 })
        const scale = d.flag() ? this.constant(dtype, [width]) : undefined
        const operands = op === 'layer-norm' ? [x, scale, undefined] : [x, scale]
        return b.one(op, operands, { axis: -1, epsilon: 0.1 })
      }
    }
  }

  private moved(x: Value): Value | undefined {
    const { d, b } = this
    const { dtype, shape } = x.type
    const rank = shape.length
    switch (d.int(0, 7)) {
      case 0:
        return b.one('transpose', [x], { perm: shape.map((_, i) => rank - 1 - i) })
      case 1:
        return b.one('reshape', [x], { shape: [ix.product(shape)] })
      case 2: {
        const width = this.last(x)
        if (width === undefined) return undefined
        const parts = d.of(...sizes.filter(s => width % s === 0))
        return b.one('reshape', [x], { shape: [...shape.slice(0, -1), parts, width / parts] })
      }
      case 3: {
        const width = this.last(x)
        if (width === undefined) return undefined
        const step = d.of(1, 2, -1)
        const size = d.int(1, Math.max(1, Math.ceil(width / Math.abs(step))))
        const start = step > 0 ? d.int(0, width - 1 - (size - 1) * step) : width - 1 - d.int(0, width - size)
        return b.one('slice', [x], {
          starts: [...shape.slice(1).map(() => 0), start],
          sizes: [...shape.slice(0, -1), size],
          steps: [...shape.slice(1).map(() => 1), step],
        })
      }
      case 4: {
        if (dtype === 'bool') return undefined
        const low = shape.map(() => d.int(0, 2))
        return b.one('pad', [x], { low, high: shape.map(() => d.int(0, 2)), value: d.int(0, 3) })
      }
      case 5: {
        const y = this.like(x)
        return y && rank > 0 ? b.one('concat', [x, y], { axis: d.axis(rank).given }) : undefined
      }
      case 6: {
        if (rank === 0) return undefined
        const indices = this.constant('i32', [d.of(...sizes)])
        return b.one('gather', [x, indices], { axis: d.axis(rank).given })
      }
      default:
        return rank === 0 || dtype === 'bool' ? undefined : b.one('cumsum', [x], { axis: d.axis(rank).given })
    }
  }

  /** What is exact on exact values only. */
  private exactly(x: Value): Value | undefined {
    const { d, b } = this
    const { dtype, shape } = x.type
    const rank = shape.length
    switch (d.int(0, 5)) {
      case 0: {
        const y = this.like(x)
        return y && b.one(dtype === 'bool' ? d.of('eq', 'ne') : d.of('lt', 'ge', 'eq', 'ne'), [x, y])
      }
      case 1: {
        const y = this.like(x),
          c = this.like(x, 'bool')
        return y && c && b.one('select', [c, x, y])
      }
      case 2:
        return b.one('cast', [x], { dtype: d.dtype(...integers, 'bool') })
      case 3:
        if (rank === 0 || dtype === 'bool' || this.last(x) === undefined) return undefined
        return b.one(d.of('argmax', 'argmin'), [x], { axis: -1, keepDims: d.flag(), dtype: d.position() })
      case 4:
        if (rank === 0 || dtype === 'bool') return undefined
        return b.add('sort', [x], { axis: d.axis(rank).given, descending: d.flag(), dtype: d.position() })[d.int(0, 1)]
      default: {
        if (dtype === 'bool' || rank === 0) return undefined
        return b.one('gather', [this.d.of(...this.values.filter(v => v.type.shape.length > 0)), x], { axis: 0 })
      }
    }
  }
}

/** `exact` over integers and truths, else over f32; `symbolic` with a symbol as the first dim of its inputs. */
export const randomGraph = (d: Draw, exact: boolean, symbolic: boolean): RandomGraph => {
  const b = new GraphBuilder('random')
  const rows = symbolic ? ix.variable(rowsSymbol) : ix.constant(d.of(...rowCounts))
  if (symbolic) b.declare({ name: rowsSymbol, min: 0, max: undefined, multipleOf: 1 })
  const writer = new Writer(d, b, rows, exact)
  for (let i = 0, count = d.int(1, 2); i < count; i++) writer.input(`x${i}`)
  for (let i = 0, count = d.int(2, 6); i < count; i++) writer.step()
  const { values } = writer
  const chosen = values.filter((v, i) => i === values.length - 1 || (v.node !== undefined && d.int(0, 5) === 0))
  const graph = b.finish(Object.fromEntries(chosen.map((v, i) => [`y${i}`, v])))
  const all = b.finish(Object.fromEntries([...chosen, ...values].map((v, i) => [`y${i}`, v])))
  return {
    graph,
    meaning: inputs => interpretGraphSync(all, inputs),
    inputs: (draw, n) =>
      Object.fromEntries(
        graph.inputs.map(({ name, value: { type } }) => {
          const shape = type.shape.map(e => ix.evaluateIndex(e, new Map([[rowsSymbol, n]])))
          return [name, randomTensor(type.dtype, shape, draw.int(0, 0xffff))]
        }),
      ),
  }
}
