/** @file Text to binary, through wabt; the only file that loads it, and only when it is asked to. */
import { QuernError } from '@quern/artifact'

export interface AssembleFeatures {
  readonly threads: boolean
  readonly relaxed: boolean
}

/** Assembles and validates a module's text. A refusal is a defect of the compiler, shown with the line. */
export type Assemble = (wat: string, features: AssembleFeatures) => Promise<Uint8Array>

/**
 * Begins to load the assembler, and gives it at once: what is assembled waits for it. Loading takes as long as compiling a
 * small model, most of it on other threads, so whoever will assemble asks for it first.
 */
export const loadAssembler = (): Assemble => {
  const loaded = import('wabt').then(({ default: load }) => load())
  // Whoever assembles meets the failure; a compilation that fails before never does.
  loaded.catch(() => {})
  return async (wat, features) => assembleWith(await loaded, wat, features)
}

export const assemble: Assemble = (wat, features) => loadAssembler()(wat, features)

type Wabt = Awaited<ReturnType<typeof import('wabt')>>

const assembleWith = (wabt: Wabt, wat: string, features: AssembleFeatures): Uint8Array => {
  const enabled = {
    simd: true,
    bulk_memory: true,
    sat_float_to_int: true,
    sign_extension: true,
    mutable_globals: true,
    threads: features.threads,
    relaxed_simd: features.relaxed,
  }
  try {
    // As bytes, which wabt copies at once: a string it would copy character by character.
    const module = wabt.parseWat('module.wat', new TextEncoder().encode(wat).slice(), enabled)
    try {
      const { buffer } = module.toBinary({ write_debug_names: false })
      // The engine's own validator is many times quicker; wabt's says where the mistake is, and knows features that this
      // engine may lack.
      if (!WebAssembly.validate(new Uint8Array(buffer))) {
        // wabt reads the features here too, though its types do not say so: without them shared memories are refused.
        const validate: (features: typeof enabled) => void = module.validate.bind(module)
        validate(enabled)
      }
      return buffer
    } finally {
      module.destroy()
    }
  } catch (error) {
    throw defect(wat, error)
  }
}

const defect = (wat: string, error: unknown): QuernError => {
  const message = error instanceof Error ? error.message : String(error)
  const place = /module\.wat:(\d+):(\d+)(?:-\d+)?: (?:error: )?(.*)/.exec(message)
  const line = Number(place?.[1] ?? 0)
  const lines = wat.split('\n')
  const frame = [-2, -1, 0, 1, 2]
    .map(d => line + d)
    .filter(n => line > 0 && n >= 1 && n <= lines.length)
    .map(n => `${n === line ? '>' : ' '} ${String(n).padStart(5)} | ${lines[n - 1] ?? ''}`)
  const says = place?.[3] ?? message
  return new QuernError(
    'compiler/bad-wasm',
    [
      `this is a defect of the compiler, not of the model: the generated WebAssembly is refused: ${says}`,
      ...frame,
    ].join('\n'),
    { line, message: says },
    error,
  )
}
