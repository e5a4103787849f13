/** @file `QUERN_VERIFY`: after a pass, the graph is well-formed and still means what the model meant. */
import { QuernError, arrayOf, type DType } from '@quern/artifact'
import {
  type ConstantData,
  type Graph,
  type HostTensor,
  type SymbolInfo,
  interpretGraph,
  ix,
  verifyGraph,
} from '@quern/core-ir'

type ReadConstant = (data: Extract<ConstantData, { kind: 'bytes' }>) => Promise<Uint8Array>

/** Floats may be summed in another order; anything else is equal. Relative to the largest element of an output. */
const tolerance: Readonly<Partial<Record<DType, number>>> = { f32: 1e-4, f16: 1e-2, f64: 1e-9 }

const smallest = ({ min, multipleOf }: SymbolInfo): number =>
  Math.max(1, Math.ceil(Math.max(min, 2) / multipleOf)) * multipleOf

/** A deterministic sequence in [-2, 2); integers in 0..3. */
const numbers = (count: number, dtype: DType): HostTensor['data'] => {
  let state = 1
  const next = (): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
  const whole = (): number => Math.floor(next() * (dtype === 'bool' ? 2 : 4))
  const list = Array.from({ length: count }, () => (dtype === 'f32' || dtype === 'f64' ? next() * 4 - 2 : whole()))
  if (dtype === 'i64' || dtype === 'u64') return arrayOf[dtype].from(list.map(v => BigInt(v)))
  // Halves of 0.5 to 4, by their exponents.
  if (dtype === 'f16') return Uint16Array.from(list, v => 0x3800 + (v << 8))
  return arrayOf[dtype].from(list)
}

/**
 * Interprets a graph on small random inputs now, and gives a check for its later forms. Slow by design.
 * @returns throws `compiler/pass-changed-meaning` naming the pass and the output
 */
export const passVerifier = async (
  original: Graph,
  constant: ReadConstant,
): Promise<(pass: string, after: Graph) => Promise<void>> => {
  const env = new Map([...original.symbols.values()].filter(s => s.upper === undefined).map(s => [s.name, smallest(s)]))
  const inputs = Object.fromEntries(
    original.inputs.map(({ name, value: { type } }): [string, HostTensor] => {
      const shape = type.shape.map(d => ix.evaluateIndex(d, env))
      const count = shape.reduce((p, d) => p * d, 1)
      return [name, { dtype: type.dtype, shape, data: numbers(count, type.dtype) }]
    }),
  )
  const expected = await interpretGraph(original, inputs, { constant })
  return async (pass, after) => {
    verifyGraph(after)
    const found = await interpretGraph(after, inputs, { constant })
    for (const [name, want] of Object.entries(expected)) {
      const got = Object.hasOwn(found, name) ? found[name] : undefined
      const largest = largestOf(want.data)
      const limit = (tolerance[want.dtype] ?? 0) * Math.max(1, largest)
      const bad =
        got === undefined || got.data.length !== want.data.length ? 0 : indexOfDifference(want.data, got.data, limit)
      if (bad >= 0)
        throw new QuernError(
          'compiler/pass-changed-meaning',
          `after ${pass}, the output ${name} of ${original.name} differs at element ${bad}: ${String(want.data[bad])} became ${String(got?.data[bad])}. This is a defect of Quern`,
          { pass, output: name, element: bad },
        )
    }
  }
}

const largestOf = (data: HostTensor['data']): number => {
  let largest = 0
  for (const v of data) if (Number.isFinite(Number(v))) largest = Math.max(largest, Math.abs(Number(v)))
  return largest
}
const indexOfDifference = (a: HostTensor['data'], b: HostTensor['data'], limit: number): number => {
  for (let i = 0; i < a.length; i++) {
    const x = Number(a[i]),
      y = Number(b[i])
    if (!Object.is(x, y) && !(Math.abs(x - y) <= limit)) return i
  }
  return -1
}
