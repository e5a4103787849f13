/** @file What the plugin may be told. */
import type { FilterPattern } from '@rollup/pluginutils'
import { QuernError } from '@quern/artifact'
import { didYouMean, inWords, numericsLevels } from '@quern/core-ir'
import type { CompileSettings, EvaluateOptions } from '@quern/evaluate'

export interface QuernOptions extends CompileSettings {
  /** Model files; default: every `*.model.ts` (`.js`, `.mts`). */
  readonly include?: FilterPattern
  readonly exclude?: FilterPattern
  /** `false` compiles anew every time; a string is the folder in which results are kept. */
  readonly cache?: boolean | string
  /** Milliseconds that one model file may take. */
  readonly timeout?: number
  /** For tests: see `@quern/evaluate`. */
  readonly standIns?: EvaluateOptions['standIns']
}

const names = [
  'include',
  'exclude',
  'targets',
  'numerics',
  'maxBytes',
  'maxMemory',
  'cache',
  'timeout',
  'standIns',
  'crossOriginIsolation',
  'platform',
] as const

const numericsNames: readonly string[] = ['reproducible', ...numericsLevels]
const targetNames = ['wasm', 'webgpu']

/** @throws vite-plugin/unknown-option, vite-plugin/option-value: what is misspelled would be silently ignored */
export const checkOptions = (options: object): void => {
  if (typeof options !== 'object' || options === null)
    throw new QuernError('vite-plugin/option-value', `quern() takes an object of options, not ${inWords(options)}`)
  for (const name of Object.keys(options))
    if (!names.some(n => n === name))
      throw new QuernError('vite-plugin/unknown-option', `quern() has no option ${name}: ${didYouMean(name, names)}`, {
        option: name,
      })
  const wrong = (option: string, takes: string, value: unknown): never => {
    throw new QuernError(
      'vite-plugin/option-value',
      `quern() takes ${takes} as its option ${option}, not ${inWords(value)}`,
      { option },
    )
  }
  const oneOf = (option: string, value: unknown, known: readonly string[]): void => {
    if (!known.some(k => k === value))
      throw new QuernError(
        'vite-plugin/option-value',
        `quern() has no ${option} ${inWords(value)}: ${didYouMean(typeof value === 'string' ? value : '', known)}`,
        { option },
      )
  }
  const { targets, numerics, maxBytes, maxMemory, cache, timeout, crossOriginIsolation, platform } =
    options as Readonly<Record<string, unknown>>
  if (targets !== undefined && (!Array.isArray(targets) || targets.length === 0))
    wrong('targets', "a list like ['wasm', 'webgpu']", targets)
  for (const target of (targets ?? []) as readonly unknown[]) oneOf('targets', target, targetNames)
  if (numerics !== undefined) oneOf('numerics', numerics, numericsNames)
  for (const [name, value] of [
    ['maxBytes', maxBytes] as const,
    ['maxMemory', maxMemory] as const,
    ['timeout', timeout] as const,
  ])
    if (value !== undefined && !(typeof value === 'number' && value > 0)) wrong(name, 'a positive number', value)
  if (cache !== undefined && typeof cache !== 'boolean' && typeof cache !== 'string')
    wrong('cache', 'true, false or a folder', cache)
  if (crossOriginIsolation !== undefined && typeof crossOriginIsolation !== 'boolean')
    wrong('crossOriginIsolation', 'true or false', crossOriginIsolation)
  if (platform !== undefined) oneOf('platform', platform, ['browser', 'node'])
}

export const compileSettings = ({ targets, numerics, maxBytes, maxMemory }: QuernOptions): CompileSettings => ({
  ...(targets === undefined ? {} : { targets }),
  ...(numerics === undefined ? {} : { numerics }),
  ...(maxBytes === undefined ? {} : { maxBytes }),
  ...(maxMemory === undefined ? {} : { maxMemory }),
})
