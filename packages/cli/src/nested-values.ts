/** @file An input written on the command line: a number or nested lists, as JSON. */
import { CommandError } from './commands/reporting.ts'

const shapeOf = (x: unknown): readonly number[] => (Array.isArray(x) ? [x.length, ...shapeOf(x[0])] : [])

export const nestedValues = (
  text: string,
  name: string,
): { readonly shape: readonly number[]; readonly values: readonly number[] } => {
  let parsed: unknown
  try {
    parsed = JSON.parse(text)
  } catch {
    throw new CommandError(`--input ${name}: ${text} is neither a .npy file nor a list of numbers`)
  }
  const shape = shapeOf(parsed)
  const values: number[] = []
  const flatten = (x: unknown, depth: number): void => {
    if (depth < shape.length ? !Array.isArray(x) || x.length !== shape[depth] : typeof x !== 'number')
      throw new CommandError(
        `--input ${name}: the lists of ${text} have different lengths, or hold something else than numbers`,
      )
    if (Array.isArray(x)) for (const inner of x) flatten(inner, depth + 1)
    else if (typeof x === 'number') values.push(x)
  }
  flatten(parsed, 0)
  return { shape, values }
}
