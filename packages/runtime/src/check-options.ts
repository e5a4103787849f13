/** @file Checks what `load` and `run` are asked for: a mistake is an error, never a silent default. */
import { type LoadOptions, QuernError, type RunOptions } from '@quern/artifact'

/** What an option takes: one of these words, or what a test holds for, with the name of that. */
type Takes = string | readonly [says: string, holds: (value: unknown) => boolean]
type Table<O> = Readonly<Record<keyof O, Takes>>

const object: Takes = ['an object', v => typeof v === 'object' && v !== null]
// By its shape: a signal may come from another realm.
const signal: Takes = ['an AbortSignal', v => typeof (v as Partial<AbortSignal> | null)?.aborted === 'boolean']

const loadTakes: Table<LoadOptions> = {
  device: 'auto, wasm, webgpu',
  thread: 'auto, caller, worker',
  dims: object,
  threads: ['a whole number above 0', v => Number.isSafeInteger(v) && (v as number) > 0],
  onProgress: ['a function', v => typeof v === 'function'],
  signal,
}
const runTakes: Table<RunOptions<unknown>> = { signal, outputs: 'cpu, device', into: object }

export const checkLoadOptions = (options: LoadOptions): void => check('load()', options, loadTakes)
export const checkRunOptions = (options: RunOptions<Record<string, never>>): void => check('run()', options, runTakes)

const check = (method: string, options: object, takes: Readonly<Record<string, Takes>>): void => {
  checkOne(`what ${method} is given`, options, object)
  for (const [name, value] of Object.entries(options)) {
    checkName(`option of ${method}`, name, takes)
    if (value !== undefined) checkOne(`the option ${name}`, value, takes[name] ?? object)
  }
}

const checkOne = (what: string, value: unknown, takes: Takes): void => {
  const words = typeof takes === 'string'
  if (words ? takes.split(', ').includes(value as string) : takes[1](value)) return
  const expected = words ? `one of ${takes}` : takes[0]
  throw new QuernError('option/wrong', `${what} must be ${expected}, not ${inWords(value)}`, {
    expected,
  })
}

const inWords = (value: unknown): string =>
  typeof value === 'string' ? `"${value}"` : Array.isArray(value) ? 'an array' : `${typeof value} ${String(value)}`

/** Refuses a name that a table lacks, with the nearest that it has: the one with most of its letters, and as long. */
export const checkName = (what: string, name: string, table: object): void => {
  if (Object.hasOwn(table, name)) return
  const known = Object.keys(table)
  const likeness = (k: string): number => [...name].filter(c => k.includes(c)).length - Math.abs(k.length - name.length)
  const [nearest] = [...known].sort((a, b) => likeness(b) - likeness(a))
  throw new QuernError(
    'option/unknown-name',
    `there is no ${what} named ${name}; ${known.length === 0 ? 'there is none' : known.length === 1 ? `the only one is ${nearest}` : `the nearest of ${known.join(', ')} is ${nearest}`}`,
    { name, known, nearest },
  )
}
