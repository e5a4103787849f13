/** @file Legalisation keeps the meaning of random kernels: what is shared is still valid where it is used. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import * as ix from '../../index/index-expr.ts'
import { LoopBuilder } from '../../loop/builder.ts'
import { interpretKernel } from '../../loop/interpret.ts'
import type { Kernel, Param } from '../../loop/kernel.ts'
import { kernelDiagnostics } from '../../loop/verify.ts'
import { type Scalar, binary, cast, indexScalar, literal, load, select, unary } from '../scalar.ts'
import type { BinaryOp, UnaryOp } from '../scalar-ops.ts'
import { expandKernel } from './expand-kernel.ts'

const size = 6
const buffers = ['x', 'y', 'r'] as const
type Where = (axes: readonly ix.Index[]) => ix.Index
type Value = (axes: readonly ix.Index[], b: LoopBuilder) => Scalar
type Write = (axes: readonly ix.Index[], b: LoopBuilder) => void

// Few subscripts and few ops, so that repeats are common.
const where: fc.Arbitrary<Where> = fc.oneof(
  fc.integer({ min: 0, max: 2 }).map(
    (i): Where =>
      () =>
        ix.constant(i),
  ),
  fc.integer({ min: 0, max: 2 }).map(
    (i): Where =>
      axes =>
        ix.add(axes.at(-1) ?? 0, i),
  ),
)
const { value } = fc.letrec<{ value: Value }>(tie => ({
  value: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    fc.tuple(fc.constantFrom(...buffers), where).map(
      ([buffer, at]): Value =>
        axes =>
          load(buffer, 'f32', [at(axes)]),
    ),
    fc.constantFrom(0.5, 2).map(
      (v): Value =>
        () =>
          literal(v, 'f32'),
    ),
    fc.constant<Value>(axes => cast(indexScalar(ix.toIndex(axes.at(-1) ?? 0)), 'f32')),
    fc.tuple(fc.constantFrom<UnaryOp>('neg', 'abs', 'floor'), tie('value')).map(
      ([op, x]): Value =>
        (a, b) =>
          unary(op, x(a, b)),
    ),
    fc.tuple(fc.constantFrom<BinaryOp>('add', 'sub', 'max'), tie('value'), tie('value')).map(
      ([op, x, y]): Value =>
        (a, b) =>
          binary(op, x(a, b), y(a, b)),
    ),
    fc.tuple(tie('value'), tie('value')).map(
      ([x, y]): Value =>
        (a, b) =>
          select(binary('lt', x(a, b), y(a, b)), x(a, b), y(a, b)),
    ),
    // A subscript that is data: clamped, as ops do.
    fc.tuple(fc.constantFrom(...buffers), tie('value')).map(([buffer, x]): Value => (a, b) => {
      const at = cast(binary('min', binary('max', x(a, b), literal(0, 'f32')), literal(size - 1, 'f32')), 'i32')
      return load(buffer, 'f32', [ix.fromScalar(at)])
    }),
  ),
}))
const { block } = fc.letrec<{ write: Write; block: Write }>(tie => ({
  block: fc.array(tie('write'), { minLength: 1, maxLength: 4 }).map(
    (ws): Write =>
      (a, b) =>
        ws.forEach(w => w(a, b)),
  ),
  write: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    fc.tuple(fc.constantFrom(...buffers), where, value).map(
      ([buffer, at, v]): Write =>
        (a, b) =>
          b.store({ name: buffer }, [at(a)], v(a, b)),
    ),
    fc.tuple(fc.constantFrom(...buffers), where, value).map(
      ([buffer, at, v]): Write =>
        (a, b) =>
          b.accumulate({ name: buffer }, [at(a)], 'sum', v(a, b)),
    ),
    fc.tuple(where, value).map(
      ([at, v]): Write =>
        (a, b) =>
          b.store({ name: 'y' }, [at(a)], b.let('t', v(a, b))),
    ),
    tie('block').map(
      (inner): Write =>
        (a, b) =>
          b.for('i', 3, i => inner([...a, i], b)),
    ),
    fc.tuple(value, tie('block'), tie('block')).map(
      ([v, then, otherwise]): Write =>
        (a, b) =>
          b.if(
            binary('gt', v(a, b), literal(0.25, 'f32')),
            () => then(a, b),
            () => otherwise(a, b),
          ),
    ),
  ),
}))

const params: readonly Param[] = [
  { name: 'x', dtype: 'f32', shape: [ix.constant(size)], access: 'read_write' },
  { name: 'y', dtype: 'f32', shape: [ix.constant(size)], access: 'read_write' },
]
const kernelOf = (write: Write): Kernel => {
  const b = new LoopBuilder(['x', 'y'])
  b.alloc('r', 'f32', [size], 'private')
  b.for('s', size, s => b.store({ name: 'r' }, [s], literal(1, 'f32')))
  write([], b)
  b.for('e', size, e => b.accumulate({ name: 'y' }, [e], 'sum', load('r', 'f32', [e])))
  return { name: 'random', symbols: [], params, body: b.finish(), origins: [] }
}
const results = (kernel: Kernel): readonly number[] => {
  const x = Float32Array.from({ length: size }, (_, i) => Math.sin(i * 7 + 1) * 3),
    y = Float32Array.from({ length: size }, (_, i) => i - 2)
  interpretKernel(kernel, { buffers: { x, y }, symbols: {} })
  return [...x, ...y]
}

test('expandKernel keeps what a kernel writes, bit for bit', () => {
  fc.assert(
    fc.property(block, write => {
      const kernel = kernelOf(write)
      const expanded = expandKernel(kernel)
      expect(kernelDiagnostics(expanded)).toEqual([])
      expect(results(expanded)).toEqual(results(kernel))
    }),
    { numRuns: 400 },
  )
})
