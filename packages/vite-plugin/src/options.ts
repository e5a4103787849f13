/** @file What the plugin may be told. */
import type { FilterPattern } from '@rollup/pluginutils'
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

export const compileSettings = ({ targets, numerics, maxBytes }: QuernOptions): CompileSettings => ({
  ...(targets === undefined ? {} : { targets }),
  ...(numerics === undefined ? {} : { numerics }),
  ...(maxBytes === undefined ? {} : { maxBytes }),
})
