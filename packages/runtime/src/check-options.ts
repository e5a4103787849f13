/** @file Checks what `load` and `run` are asked for: a mistake is an error, never a silent default. */
import { type LoadOptions, QuernError, type RunOptions } from '@quern/artifact'

/** What an option takes: a test, and what it is called. */
type Takes = readonly [says: string, holds: (value: unknown) => boolean]
type Table<O> = Readonly<Record<keyof O, Takes>>

const words = (...all: readonly unknown[]): Takes => [all.map(w => `'${w}'`).join(' or '), v => all.includes(v)]
const object: Takes = ['an object', v => typeof v === 'object' && v !== null]
// By its shape: a signal may come from another realm.
const signal: Takes = ['an AbortSignal', v => typeof (v as Partial<AbortSignal> | null)?.aborted === 'boolean']

const loadTakes: Table<LoadOptions> = {
  device: words('auto', 'wasm', 'webgpu'),
  thread: words('auto', 'caller', 'worker'),
  dims: object,
  threads: ['a whole number above 0', v => Number.isSafeInteger(v) && (v as number) > 0],
  onProgress: ['a function', v => typeof v === 'function'],
  signal,
}
const runTakes: Table<RunOptions<unknown>> = { signal, outputs: words('cpu', 'device'), into: object }

export const checkLoadOptions = (options: LoadOptions): void => check('load()', options, loadTakes)
export const checkRunOptions = (options: RunOptions<Record<string, never>>): void => check('run()', options, runTakes)

const check = (method: string, options: object, takes: Readonly<Record<string, Takes>>): void => {
  checkOne(`what ${method} takes as options`, options, object)
  for (const [name, value] of Object.entries(options)) {
    const known = takes[name] ?? unknownName(`option of ${method}`, name, Object.keys(takes))
    if (value !== undefined) checkOne(`the option ${name} of ${method}`, value, known)
  }
}

const checkOne = (what: string, value: unknown, [says, holds]: Takes): void => {
  if (holds(value)) return
  const found = typeof value === 'string' ? `'${value}'` : String(value)
  throw new QuernError('option/wrong', `${what} is ${says}, not ${found}`, { found, expected: says })
}

/** Throws, with the nearest name that there is. */
export const unknownName = (what: string, name: string, known: readonly string[]): never => {
  const [nearest] = [...known].sort((a, b) => distance(a, name) - distance(b, name))
  throw new QuernError(
    'option/unknown-name',
    `there is no ${what} named ${name}; ${nearest === undefined ? 'there are none' : `did you mean ${nearest}? There are ${known.join(', ')}`}`,
    { name, nearest, known },
  )
}

/** Characters to insert, drop or change. */
const distance = (a: string, b: string): number =>
  [...a].reduce(
    (row, c) =>
      row.reduce<number[]>(
        (next, above, j) => [
          ...next,
          Math.min(above + 1, (next[j - 1] ?? Infinity) + 1, (row[j - 1] ?? Infinity) + (b[j - 1] === c ? 0 : 1)),
        ],
        [],
      ),
    Array.from({ length: b.length + 1 }, (_, j) => j),
  )[b.length] ?? 0
