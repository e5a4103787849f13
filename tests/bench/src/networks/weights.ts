/** @file Seeded numbers and weights, the same in Node, in the browser and in a model file. */
export interface NumericArray {
  readonly shape: readonly number[]
  readonly data: Float32Array<ArrayBuffer>
}
export type Weights = Readonly<Record<string, NumericArray>>

/** A weight by shape and by what its numbers are like: uniform in [-scale, scale), shifted by `mean`. */
export interface Parameter {
  readonly name: string
  readonly shape: readonly number[]
  readonly scale: number
  readonly mean?: number
}

export const elements = (shape: readonly number[]): number => shape.reduce((p, d) => p * d, 1)

/** FNV-1a: every name has a stream of its own, so that the order of weights does not matter. */
const seedOf = (name: string): number => {
  let hash = 0x811c9dc5
  for (let i = 0; i < name.length; i++) hash = Math.imul(hash ^ name.charCodeAt(i), 0x01000193)
  return hash >>> 0
}

/** Uniform in [mean - scale, mean + scale), by a linear congruential generator. */
export const seeded = (name: string, count: number, scale = 1, mean = 0): Float32Array<ArrayBuffer> => {
  const data = new Float32Array(count)
  let state = seedOf(name)
  for (let i = 0; i < count; i++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    data[i] = (state / 2 ** 31 - 1) * scale + mean
  }
  return data
}

export const seededWeights = (parameters: readonly Parameter[]): Weights =>
  Object.fromEntries(
    parameters.map(({ name, shape, scale, mean }) => [
      name,
      { shape, data: seeded(name, elements(shape), scale, mean) },
    ]),
  )

/** Keeps the variance of what goes through a layer with so many inputs, with `gain` 1 or, before a ReLU, √2. */
export const spread = (inputs: number, gain = 1): number => gain * Math.sqrt(3 / inputs)

/** The weight of a name that the network surely has. */
export const weightOf = (weights: Weights, name: string): NumericArray => {
  const found = weights[name]
  if (found === undefined) throw new Error(`there is no weight ${name}`)
  return found
}
