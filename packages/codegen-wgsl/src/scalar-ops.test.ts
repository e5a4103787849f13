/** @file Every basic scalar op and conversion, for every dtype that WebGPU has, on edge values: device = interpreter. */
import { type DType, type HostArray, arrayOf } from '@quern/artifact'
import {
  type BinaryOp,
  type Kernel,
  type Param,
  type Scalar,
  type Stmt,
  type UnaryOp,
  accepts,
  binaryOps,
  bitWidth,
  fromHalfBits,
  interpretKernel,
  isFloat,
  ix,
  scalar,
  toHalfBits,
  unaryOps,
} from '@quern/core-ir'
import { describe, expect, test } from 'vitest'
import { softwareGpu } from '../test-support/dawn.ts'
import { runKernel } from '../test-support/run-kernel.ts'
import { isBasicBinary } from './spelling/binary.ts'
import { isBasicUnary } from './spelling/unary.ts'

const software = await softwareGpu()

const floats = [
  0,
  -0,
  1,
  -1,
  0.5,
  2.5,
  -3.5,
  7,
  -1e9,
  3e9,
  5e9,
  -5e9,
  1e-30,
  2e30,
  Infinity,
  -Infinity,
  NaN,
  100.75,
  255.5,
  -128.5,
]
const edges: Partial<Record<DType, readonly number[]>> = {
  f32: floats,
  f16: [0, -0, 1, -1, 0.5, 2.5, -3.5, 65504, -65504, 1e-3, 300.25, Infinity, -Infinity, NaN, 2048, 3],
  i32: [0, 1, -1, 2, 7, -7, 31, 33, 2147483647, -2147483648, 123456789, -5],
  u32: [0, 1, 2, 7, 31, 33, 2147483647, 2147483648, 4294967295, 123456789, 5, 64],
  i16: [0, 1, -1, 2, -7, 17, 32767, -32768, 300, -300, 15, 16],
  u16: [0, 1, 2, 7, 17, 65535, 32768, 300, 15, 16, 9, 1000],
  i8: [0, 1, -1, 2, -7, 9, 127, -128, 100, -100, 8, 7],
  u8: [0, 1, 2, 7, 9, 255, 128, 100, 200, 8, 15, 16],
  bool: [0, 1, 1, 0],
}
const dtypes = Object.keys(edges) as readonly DType[]
/** Vectors differ in spelling only, and pipelines are slow to make. */
const inVectors: readonly DType[] = ['f32', 'f16', 'i32', 'u8', 'bool']
const array = (dtype: DType, values: readonly number[]): HostArray => {
  const made = new arrayOf[dtype](values.length)
  values.forEach((v, i) => {
    if (!(made instanceof BigInt64Array || made instanceof BigUint64Array))
      made[i] = dtype === 'f16' ? toHalfBits(v) : v
  })
  return made
}
/** All pairs, in whole groups of four. */
const pairs = (dtype: DType): { x: HostArray; y: HostArray; n: number } => {
  const values = edges[dtype] ?? []
  const all = values.flatMap(x => values.map(y => [x, y] as const))
  while (all.length % 4 !== 0) all.push(all[0] ?? [0, 0])
  return {
    x: array(
      dtype,
      all.map(([x]) => x),
    ),
    y: array(
      dtype,
      all.map(([, y]) => y),
    ),
    n: all.length,
  }
}

/** One row of the output of its dtype for each result. */
const kernelOf = (dtype: DType, n: number, results: readonly Scalar[], vector: boolean): Kernel => {
  const at = vector ? ix.add(ix.mul(4, ix.variable('g')), ix.variable('v')) : ix.variable('g')
  const counts = new Map<DType, number>()
  const stores = results.map((value): Stmt => {
    const row = counts.get(value.dtype) ?? 0
    counts.set(value.dtype, row + 1)
    return { kind: 'store', buffer: `out_${value.dtype}`, indices: [ix.constant(row), at], value }
  })
  const body: readonly Stmt[] = vector
    ? [{ kind: 'for', axis: 'v', extent: ix.constant(4), tag: 'vector', body: stores }]
    : stores
  const flat: Param[] = ['x', 'y'].map(name => ({ name, dtype, shape: [ix.constant(n)], access: 'read' }))
  const outs = [...counts].map(([d, rows]): Param => ({
    name: `out_${d}`,
    dtype: d,
    shape: [ix.constant(rows), ix.constant(n)],
    access: 'write',
  }))
  return {
    name: `ops_${dtype}`,
    symbols: [],
    params: [...flat, ...outs],
    origins: [],
    body: [{ kind: 'for', axis: 'g', extent: ix.constant(vector ? n / 4 : n), tag: 'workgroup.x', body }],
  }
}

const operand = (name: string, dtype: DType, vector: boolean): Scalar =>
  scalar.load(name, dtype, [vector ? ix.add(ix.mul(4, ix.variable('g')), ix.variable('v')) : ix.variable('g')])

/** WGSL grants division and roots some ulp, and may flush what is below the smallest normal number. */
const close = (actual: number, expected: number, dtype: DType): boolean => {
  if (Number.isNaN(expected)) return Number.isNaN(actual)
  if (Object.is(actual, expected) || (actual === expected && actual !== 0)) return true
  if (!isFloat(dtype)) return false
  const tiny = dtype === 'f16' ? 2 ** -14 : 2 ** -126
  if (Math.abs(expected) < tiny && expected !== 0) return Math.abs(actual - expected) <= tiny
  return (
    Number.isFinite(expected) && Math.abs(actual - expected) <= Math.abs(expected) * 2 ** (dtype === 'f16' ? -10 : -22)
  )
}
const numbers = (dtype: DType, data: HostArray | undefined): number[] =>
  [...(data ?? [])].map(v => (dtype === 'f16' ? fromHalfBits(Number(v)) : Number(v)))

const check = async (
  device: GPUDevice,
  dtype: DType,
  results: readonly Scalar[],
  names: readonly string[],
  vector: boolean,
) => {
  const { x, y, n } = pairs(dtype)
  const kernel = kernelOf(dtype, n, results, vector)
  const make = (): Record<string, HostArray> => ({
    ...Object.fromEntries(
      kernel.params.map(p => [
        p.name,
        new arrayOf[p.dtype](p.shape.reduce((s, d) => s * (ix.isConst(d) ? d.value : 0), 1)),
      ]),
    ),
    x,
    y,
  })
  const expected = make()
  interpretKernel(kernel, { buffers: expected, symbols: {} }, { checkRaces: false })
  const run = await runKernel(device, kernel, make())
  expect(run.status, run.code).toBe('ok')
  expect(run.dispatches).toBe(1)
  const rows = new Map<DType, number>()
  const wrong: string[] = []
  results.forEach((result, k) => {
    const row = rows.get(result.dtype) ?? 0
    rows.set(result.dtype, row + 1)
    const got = numbers(result.dtype, run.buffers[`out_${result.dtype}`])
    const want = numbers(result.dtype, expected[`out_${result.dtype}`])
    for (let i = 0; i < n; i++) {
      const a = got[row * n + i] ?? 0
      const e = want[row * n + i] ?? 0
      if (!close(a, e, result.dtype))
        wrong.push(`${names[k]}(${numbers(dtype, x)[i]}, ${numbers(dtype, y)[i]}) = ${a}, not ${e}`)
    }
  })
  expect(wrong.slice(0, 12)).toEqual([])
}

describe.skipIf(software === undefined)('on the software adapter', () => {
  for (const vector of [false, true])
    for (const dtype of vector ? inVectors : dtypes) {
      const title = `${dtype}${vector ? ' in vectors' : ''}`
      test(`ops of ${title}`, async () => {
        if (software === undefined) throw new Error('unreachable')
        const x = operand('x', dtype, vector)
        const y = operand('y', dtype, vector)
        const unary = (Object.keys(unaryOps) as UnaryOp[]).filter(
          op => isBasicUnary(op) && accepts(unaryOps[op].accepts, dtype),
        )
        const binary = (Object.keys(binaryOps) as BinaryOp[]).filter(
          op => isBasicBinary(op) && accepts(binaryOps[op].accepts, dtype),
        )
        const literals = isFloat(dtype) ? [0, -0, 1.5] : []
        const results = [
          ...unary.map(op => scalar.unary(op, x)),
          ...binary.map(op => scalar.binary(op, x, y)),
          scalar.select(scalar.binary('eq', x, y), x, y),
          ...literals.flatMap(l => (['max', 'min'] as const).map(op => scalar.binary(op, x, scalar.literal(l, dtype)))),
        ]
        const names = [...unary, ...binary, 'select', ...literals.flatMap(l => [`max ${l}`, `min ${l}`])]
        await check(software.device, dtype, results, names, vector)
      })
      test(`conversions of ${title}`, async () => {
        if (software === undefined) throw new Error('unreachable')
        const x = operand('x', dtype, vector)
        const casts = dtypes.map(to => scalar.cast(x, to))
        const bits = dtypes
          .filter(to => to !== 'bool' && dtype !== 'bool' && bitWidth[to] === bitWidth[dtype])
          .map(to => scalar.bitcast(x, to))
        const results = [...casts, ...bits]
        const names = [...dtypes.map(to => `cast ${to}`), ...bits.map(b => `bitcast ${b.dtype}`)]
        // Eight bindings at most, so a few target dtypes a kernel.
        for (let i = 0; i < results.length; i += 5)
          await check(software.device, dtype, results.slice(i, i + 5), names.slice(i, i + 5), vector)
      })
    }
})
