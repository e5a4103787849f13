import { type DType, type HostArray, arrayOf, dtypes } from '@quern/artifact'
import {
  type Index,
  type Kernel,
  type Scalar,
  LoopBuilder,
  accepts,
  binaryOps,
  bitWidth,
  interpretKernel,
  ix,
  scalar,
  unaryOps,
} from '@quern/core-ir'
import { describe, expect, test } from 'vitest'
import { type Instance, instantiate, programOf } from '../../test-support/run-kernel.ts'
import { pairs, shown } from '../../test-support/values.ts'
import { isBasicBinary } from './scalar-binary.ts'
import { isBasicUnary } from './scalar-unary.ts'

/** y[i] = f(a[i], b[i]), by so many lanes; 1 is a serial loop. */
const mapKernel = (
  name: string,
  size: number,
  lanes: number,
  a: DType,
  b: DType,
  f: (x: Scalar, y: Scalar) => Scalar,
): Kernel => {
  const builder = new LoopBuilder()
  const at = (d: DType, buffer: string, i: Index): Scalar => scalar.load(buffer, d, [i])
  let result: DType = a
  const store = (i: Index): void => {
    const value = f(at(a, 'a', i), at(b, 'b', i))
    result = value.dtype
    builder.store({ name: 'y' }, [i], value)
  }
  if (lanes === 1) builder.for('i', size, store)
  else builder.for('i', size / lanes, i => builder.for('v', lanes, v => store(ix.add(ix.mul(i, lanes), v)), 'vector'))
  const shape = [ix.constant(size)]
  return {
    name,
    symbols: [],
    params: [
      { name: 'a', dtype: a, shape, access: 'read' },
      { name: 'b', dtype: b, shape, access: 'read' },
      { name: 'y', dtype: result, shape, access: 'write' },
    ],
    body: builder.finish(),
    origins: [],
  }
}

/** Runs kernels in one module and holds each against the interpreter. */
const check = async (
  a: DType,
  b: DType,
  fs: Readonly<Record<string, (x: Scalar, y: Scalar) => Scalar>>,
): Promise<void> => {
  const [left, right] = pairs(a, b)
  const kernels = Object.entries(fs).flatMap(([name, f]) =>
    [1, 2, 4, 8].map(lanes => mapKernel(`${name}_${lanes}`, left.length, lanes, a, b, f)),
  )
  const wasm: Instance = await instantiate(programOf(...kernels))
  for (const [i, kernel] of kernels.entries()) {
    const d = kernel.params[2]?.dtype ?? a
    const run = (into: HostArray): Record<string, HostArray> => ({ a: left, b: right, y: into })
    const y = new arrayOf[d](left.length),
      expected = new arrayOf[d](left.length)
    wasm.run(run(y), {}, i === 0 ? 'main' : `main_${i}`)
    interpretKernel(kernel, { buffers: run(expected), symbols: {} })
    const found = shown(d, y),
      wanted = shown(d, expected)
    const wrong = found.findIndex((v, at) => v !== wanted[at])
    if (wrong >= 0)
      throw new Error(
        `${kernel.name} on ${a}: (${shown(a, left)[wrong]}, ${shown(b, right)[wrong]}) gives ${found[wrong]}, not ${wanted[wrong]}`,
      )
  }
}

describe.each(dtypes)('%s', d => {
  test('every basic op it accepts, as scalars and in vectors', async () => {
    const fs: Record<string, (x: Scalar, y: Scalar) => Scalar> = {}
    for (const op of Object.keys(unaryOps) as (keyof typeof unaryOps)[])
      if (isBasicUnary(op) && accepts(unaryOps[op].accepts, d)) fs[op] = x => scalar.unary(op, x)
    for (const op of Object.keys(binaryOps) as (keyof typeof binaryOps)[])
      if (isBasicBinary(op) && accepts(binaryOps[op].accepts, d)) fs[op] = (x, y) => scalar.binary(op, x, y)
    fs['select'] = (x, y) => scalar.select(scalar.binary('eq', x, y), x, y)
    fs['uniform'] = x =>
      scalar.select(scalar.binary('ne', x, scalar.load('b', d, [ix.constant(1)])), x, scalar.literal(1, d))
    if (accepts('integer', d))
      for (const n of [0, 1, 7, -1])
        fs[`shift_${n < 0 ? 'all' : n}`] = x =>
          scalar.binary('shr', scalar.binary('shl', x, scalar.literal(n, d)), scalar.literal(n + 1, d))
    if (accepts('number', d)) {
      fs['pmax'] = (x, y) => scalar.select(scalar.binary('lt', x, y), y, x)
      fs['pmin'] = (x, y) => scalar.select(scalar.binary('gt', x, y), y, x)
      for (const op of ['min', 'max'] as const)
        for (const [name, c] of Object.entries({ zero: 0, minus_zero: -0, some: 3, nan: NaN })) {
          if (!accepts('float', d) && Number.isNaN(c)) continue
          fs[`${op}_${name}`] = x => scalar.binary(op, x, scalar.literal(c, d))
          fs[`${name}_${op}`] = x => scalar.binary(op, scalar.literal(c, d), x)
        }
    }
    expect(Object.keys(fs).length).toBeGreaterThan(5)
    await check(d, d, fs)
  })

  test('conversions to every dtype, and bitcasts', async () => {
    const fs: Record<string, (x: Scalar, y: Scalar) => Scalar> = {}
    for (const to of dtypes) {
      fs[`to_${to}`] = x => scalar.cast(x, to)
      if (bitWidth[to] === bitWidth[d]) fs[`bits_${to}`] = x => scalar.bitcast(x, to)
    }
    await check(d, d, fs)
  })
})
