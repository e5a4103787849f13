/** @file An app with jax-js. */
import * as jax from '@jax-js/jax'
import { forward } from 'measured:jax'
import { input, show } from './app.ts'
import { readWeights } from './weights-file.ts'

const [weights] = await Promise.all([
  fetch('model.bin').then(async r => readWeights(await r.arrayBuffer())),
  jax.init('wasm'),
])
jax.defaultDevice('wasm')
const array = (data: Float32Array<ArrayBuffer>, shape: readonly number[]) =>
  jax.numpy.array(data, { shape: [...shape] })
const held = Object.fromEntries(Object.entries(weights).map(([name, { shape, data }]) => [name, array(data, shape)]))
const compiled = jax.jit((x: Record<string, jax.Array>, w: Record<string, jax.Array>) => [...forward(jax)(x, w)])
const [y] = compiled({ x: array(input(), INPUT_SHAPE) }, held)
show((await y?.data()) as Float32Array)
