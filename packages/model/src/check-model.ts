/** @file What `model`, `entry` and `program` are given, held against what they take. */
import type { Entries, LoadedProgram, Spec, Specs } from '@quern/artifact'
import { didYouMean, inWords, numericsLevels } from '@quern/core-ir'
import { checkFunction, checkOptions, refuse } from './arguments.ts'
import { isTensor } from './tensor.ts'

export const isSpec = (x: unknown): x is Spec =>
  typeof x === 'object' && x !== null && (x as { kind?: unknown }).kind === 'spec'

const isRecord = (x: unknown): x is Readonly<Record<string, unknown>> =>
  typeof x === 'object' && x !== null && !Array.isArray(x)

/** `{ __proto__: x }` makes no property: the object inherits from x. */
const refuseProto = (what: string, record: unknown): void => {
  if (!isRecord(record)) return
  const prototype: unknown = Object.getPrototypeOf(record)
  if (isRecord(prototype) && typeof prototype['kind'] === 'string')
    refuse(
      'model/proto-is-no-name',
      `${what} is written as __proto__: in an object literal that is no name, but what the object inherits from. Name it otherwise`,
    )
}

export function checkInputs(inputs: unknown): asserts inputs is Specs {
  refuseProto('an input of a model', inputs)
  if (!isRecord(inputs) || isSpec(inputs) || isTensor(inputs))
    return refuse(
      'model/inputs-by-name',
      `a model takes its inputs by name, like { x: tensor('f32', [1, 3]) }, and was given ${inWords(inputs)}`,
    )
  for (const [name, spec] of Object.entries(inputs)) {
    if (isSpec(spec)) continue
    const advice = isTensor(spec)
      ? 'a tensor that exists already is used in the function, and is no input'
      : `write ${name}: tensor('f32', ${Array.isArray(spec) && spec.every(d => typeof d === 'number') ? `[${spec.join(', ')}]` : '[2, 3]'})`
    refuse('model/input-is-a-spec', `the input ${name} of a model is ${inWords(spec)}, and not its type: ${advice}`, {
      input: name,
    })
  }
}

const asynchronous = (x: unknown): boolean => isRecord(x) && typeof x['then'] === 'function'

export const checkForward = (forward: unknown): void => checkFunction('model', 'its second argument', forward)

/** What a model's function returned: an object of outputs. */
export function checkReturned(returned: unknown): asserts returned is Readonly<Record<string, unknown>> {
  if (asynchronous(returned)) {
    // The promise fails or not, and nobody waits for it: the mistake is that there is one.
    Promise.resolve(returned).catch(() => undefined)
    refuse(
      'model/async',
      'the function of a model is traced once and cannot be async: await weights at the top level of the file, before model(), and return the outputs as they are',
    )
  }
  refuseProto('an output of a model', returned)
  if (isTensor(returned))
    refuse(
      'model/returns-outputs-by-name',
      'a model returns its outputs by name, and a tensor alone was returned: write ({ x }) => ({ y: … })',
    )
  if (!isRecord(returned))
    refuse(
      'model/returns-outputs-by-name',
      returned === undefined
        ? 'a model returns its outputs by name, and nothing was returned: write `return { y }`, or put the object of an arrow function into parentheses, ({ x }) => ({ y: … })'
        : `a model returns its outputs by name, like { y }, and ${inWords(returned)} was returned`,
    )
}

const optionNames = ['name', 'targets', 'numerics', 'maxBytes', 'maxMemory'] as const
const targetNames = ['wasm', 'webgpu']
const numericsNames: readonly string[] = ['reproducible', ...numericsLevels]

/** Options of a compilation, as a model file, the plugin and the command give them. */
export const checkModelOptions = (of: string, options: unknown): void => {
  checkOptions(of, options, optionNames)
  const { name, targets, numerics, maxBytes, maxMemory } = options as Readonly<Record<string, unknown>>
  const wrong = (option: string, takes: string, value: unknown): never =>
    refuse('model/option-value', `${of} takes ${takes} as its option ${option}, and was given ${inWords(value)}`, {
      option,
    })
  if (name !== undefined && (typeof name !== 'string' || name === '')) wrong('name', 'a name', name)
  if (targets !== undefined && (!Array.isArray(targets) || targets.length === 0))
    wrong('targets', "a list of targets, like ['wasm', 'webgpu'],", targets)
  for (const target of (targets ?? []) as readonly unknown[])
    if (!targetNames.some(t => t === target))
      refuse(
        'model/option-value',
        `${of} has no target ${inWords(target)}: ${didYouMean(String(target), targetNames)}`,
        {
          option: 'targets',
        },
      )
  if (numerics !== undefined && !numericsNames.some(n => n === numerics))
    refuse(
      'model/option-value',
      `${of} has no numerics ${inWords(numerics)}: ${didYouMean(typeof numerics === 'string' ? numerics : '', numericsNames)}`,
      { option: 'numerics' },
    )
  for (const [option, bytes] of [['maxBytes', maxBytes] as const, ['maxMemory', maxMemory] as const])
    if (bytes !== undefined && !(typeof bytes === 'number' && bytes > 0)) wrong(option, 'a number of bytes', bytes)
}

/** What a loaded program has beside its entries. */
const ofLoadedPrograms: readonly string[] = [
  'state',
  'fork',
  'report',
  'dispose',
] satisfies (keyof LoadedProgram<Entries>)[]

export const checkEntries = (entries: unknown): void => {
  refuseProto('an entry of a program', entries)
  if (!isRecord(entries) || Object.keys(entries).length === 0)
    return refuse(
      'program/entries-by-name',
      `program takes its entries by name, like { prefill: entry(…), decode: entry(…) }, and was given ${inWords(entries)}`,
    )
  for (const [name, e] of Object.entries(entries)) {
    if (ofLoadedPrograms.includes(name))
      refuse(
        'program/entry-name',
        `an entry of a program cannot be named ${name}: a loaded program has a ${name} of its own, beside ${ofLoadedPrograms.filter(n => n !== name).join(', ')}`,
        { entry: name },
      )
    if (!isRecord(e) || e['kind'] !== 'entry')
      refuse(
        'program/entries-by-name',
        `${name} of a program is ${inWords(e)}, and not an entry: write ${name}: entry({ x: tensor(…) }, ({ x }) => ({ y: … }))`,
        { entry: name },
      )
  }
}
