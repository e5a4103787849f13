/** @file Runs kernels on seeded data in tests, and compares two of them. */
import { type HostArray, arrayOf } from '@quern/artifact'
import { type Kernel, type Layout, type Param, applyLayout, interpretKernel, ix } from '@quern/core-ir'

export type Symbols = Readonly<Record<string, number>>

const extents = (shape: Param['shape'], symbols: Symbols): number[] =>
  shape.map(e => ix.evaluateIndex(e, new Map(Object.entries(symbols))))
const sizeOf = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1)

/** Inputs of a kernel: small whole numbers, whose sums are exact in any order, or fractions. */
export const inputsOf = (kernel: Kernel, symbols: Symbols, whole = true): Record<string, HostArray> =>
  Object.fromEntries(
    kernel.params.map((p, seed) => {
      const array = new arrayOf[p.dtype](sizeOf(extents(p.shape, symbols)))
      let state = seed * 7919 + 12345
      for (let i = 0; i < array.length; i++) {
        state = (Math.imul(state, 1103515245) + 12345) >>> 0
        const value = whole ? ((state >>> 16) % 9) - 4 : ((state >>> 8) % 20011) / 5003 - 2
        array[i] = typeof array[i] === 'bigint' ? BigInt(Math.trunc(value)) : value
      }
      return [p.name, array]
    }),
  )

/** Elements in the order of a layout; padding is zero. */
export const packed = (data: HostArray, logical: Param, layout: Layout, symbols: Symbols): HostArray => {
  const shape = extents(logical.shape, symbols),
    physical = extents(layout.shape, symbols)
  const out = new arrayOf[logical.dtype](sizeOf(physical))
  const strides = ix.rowMajorStrides(physical.map(e => ix.constant(e))).map(s => ix.evaluateIndex(s, new Map()))
  const at = shape.map(() => 0)
  for (let flat = 0; flat < data.length; flat++) {
    let rest = flat
    for (let d = shape.length - 1; d >= 0; d--) {
      at[d] = rest % (shape[d] ?? 1)
      rest = Math.floor(rest / (shape[d] ?? 1))
    }
    const to = applyLayout(
      layout,
      at.map(x => ix.constant(x)),
    ).reduce((sum, x, d) => sum + ix.evaluateIndex(x, new Map()) * (strides[d] ?? 0), 0)
    out[to] = data[flat] ?? 0
  }
  return out
}

export interface RunOptions {
  readonly layouts?: ReadonlyMap<string, Layout>
  readonly original?: Kernel
  readonly seed?: number
  readonly teamSize?: number
  readonly whole?: boolean
}

/** What a kernel leaves in the params it writes, given inputs in row-major order of the original params. */
export const outputsOf = (kernel: Kernel, symbols: Symbols, options: RunOptions = {}): Record<string, HostArray> => {
  const original = options.original ?? kernel
  const inputs = inputsOf(original, symbols, options.whole)
  const buffers = Object.fromEntries(
    original.params.map(p => {
      const data = inputs[p.name]
      if (data === undefined) throw new Error(`no data for ${p.name}`)
      const layout = options.layouts?.get(p.name)
      return [p.name, layout === undefined ? data : packed(data, p, layout, symbols)]
    }),
  )
  interpretKernel(
    kernel,
    { buffers, symbols },
    { seed: options.seed ?? 1, checkRaces: true, teamSize: options.teamSize ?? 2 },
  )
  return Object.fromEntries(
    original.params.filter(p => p.access !== 'read').map(p => [p.name, buffers[p.name] ?? new Float32Array()]),
  )
}
