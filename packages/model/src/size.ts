/** @file Sizes as a model file sees them: a number, a named dim, or an expression over dims. */
import { type Dim, QuernError } from '@quern/artifact'
import { type Index, type SymbolInfo, type Symbols, inWords, ix } from '@quern/core-ir'
import { currentOrigin } from './origin.ts'

/** An integer expression over dims, such as `x.shape[0]` after a concat of two dims. */
export interface SizeExpr {
  readonly kind: 'size'
  readonly index: Index
  /** What is known of its dims. */
  readonly symbols?: Symbols
}
export type Size = number | Dim | SizeExpr
export type Sizes = readonly Size[]

/** Of a tensor, and of a dim: indices are 32 bits wide. */
export const mostElements = 2 ** 31 - 1

const isCount = (x: unknown, least = 0): x is number => typeof x === 'number' && Number.isSafeInteger(x) && x >= least

/**
 * A symbolic dimension: one name is one value per run.
 * @param bounds `min` (default 1), `max` (default none), `multipleOf` (default 1); checked when the model runs.
 */
export const dim = <const N extends string>(
  name: N,
  bounds: { readonly min?: number; readonly max?: number; readonly multipleOf?: number } = {},
): Dim<N> => {
  const refuse = (code: string, says: string): never => {
    throw new QuernError(code, says, { dim: inWords(name), origin: currentOrigin() })
  }
  if (typeof name !== 'string' || name === '')
    refuse('dim/name', `dim takes a name first, like dim('n', { max: 64 }), and was given ${inWords(name)}`)
  if (typeof bounds !== 'object' || bounds === null)
    refuse(
      'dim/bounds',
      `dim takes its bounds as an object, like { min: 1, max: 64 }, and was given ${inWords(bounds)}`,
    )
  const { min = 1, max, multipleOf = 1, ...rest } = bounds
  const [unknown] = Object.keys(rest)
  if (unknown !== undefined)
    refuse('dim/bounds', `the dim ${name} has no bound ${unknown}: there are min, max and multipleOf`)
  for (const [key, value, least] of [
    ['min', min, 0],
    ['max', max, 0],
    ['multipleOf', multipleOf, 1],
  ] as const)
    if (value !== undefined && !isCount(value, least))
      refuse('dim/bounds', `${key} of the dim ${name} is a whole number from ${least} up, not ${inWords(value)}`)
  const first = Math.ceil(min / multipleOf) * multipleOf
  if (first > (max ?? mostElements))
    refuse(
      'dim/bounds',
      `the dim ${name} has no value${multipleOf === 1 ? '' : ` that is a multiple of ${multipleOf}`} from ${min} to ${max ?? mostElements}: make max larger or min smaller`,
    )
  return { kind: 'dim', name, min, max, multipleOf }
}

const isSize = (size: unknown): size is Size =>
  typeof size === 'number'
    ? isCount(size) && size <= mostElements
    : typeof size === 'object' &&
      size !== null &&
      (((size as { kind?: unknown }).kind === 'dim' && typeof (size as Dim).name === 'string') ||
        ((size as { kind?: unknown }).kind === 'size' && typeof (size as SizeExpr).index?.key === 'string'))

/** Elsewhere a size that varies is written as -1, null or a name. */
const advice = (size: unknown): string =>
  typeof size === 'number' && size !== -1
    ? ''
    : ": for a size that is known when the model runs write a dim, like dim('n')"

/** A size as the IR holds it. */
export const toIndex = (size: Size): Index => {
  if (!isSize(size))
    throw new QuernError(
      'shape/not-a-size',
      `a size is a whole number from 0 to ${mostElements}, a dim, or a size of another tensor, and ${inWords(size)} is none${advice(size)}`,
      { origin: currentOrigin() },
    )
  return typeof size === 'number' ? ix.constant(size) : size.kind === 'dim' ? ix.variable(size.name) : size.index
}

/**
 * A shape as the IR holds it.
 * @param of whose shape it is, for errors
 */
export const toShape = (of: string, shape: Sizes): readonly Index[] => {
  if (!Array.isArray(shape))
    throw new QuernError(
      'shape/not-a-list',
      `${of} takes a shape as a list of sizes, like [1, 28, 28], and was given ${inWords(shape)}`,
      { origin: currentOrigin() },
    )
  const sizes: readonly Size[] = shape
  sizes.forEach((size, at) => {
    if (!isSize(size))
      throw new QuernError(
        'shape/not-a-size',
        `size ${at + 1} of a shape for ${of} is ${inWords(size)}, and a size is a whole number from 0 to ${mostElements}${advice(size)}`,
        { at, origin: currentOrigin() },
      )
  })
  return sizes.map(toIndex)
}

export const fromIndex = (index: Index, symbols: Symbols): Size => {
  if (ix.isConst(index)) return index.value
  const symbol = index.kind === 'var' ? symbols.get(index.name) : undefined
  return symbol === undefined
    ? { kind: 'size', index, symbols }
    : { kind: 'dim', name: symbol.name, min: symbol.min, max: symbol.max, multipleOf: symbol.multipleOf }
}

/** What a size tells of its dims. */
export const symbolsOf = (size: Size | undefined): Symbols =>
  size === undefined || typeof size === 'number'
    ? new Map()
    : size.kind === 'dim'
      ? new Map([[size.name, symbolOf(size)]])
      : (size.symbols ?? new Map())

export const symbolOf = (d: Dim): SymbolInfo => ({ name: d.name, min: d.min, max: d.max, multipleOf: d.multipleOf })
