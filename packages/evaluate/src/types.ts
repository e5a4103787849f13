/** @file What goes into an evaluation and what comes out of it: plain data, since a thread stands between. */
import type { Artifact, DeviceKind } from '@quern/artifact'
import type { Span } from '@quern/core-ir'
import type { Progress } from './progress.ts'
import type { Standby } from './standby.ts'

/** How programs are compiled; the third argument of `model()` overrides it. */
export interface CompileSettings {
  /** Default: `wasm` and `webgpu`. */
  readonly targets?: readonly DeviceKind[]
  readonly numerics?: 'reproducible' | 'exact' | 'ignores-signed-zero' | 'reassociates' | 'algebraic'
  /** By export, schedules in the place of those of the rules: what `inspect --stage schedule` prints for one target, edited. */
  readonly schedules?: Readonly<Record<string, string>>
  /** By export, layouts in the place of those that the pass chooses: what `inspect --stage layouts` prints, edited. */
  readonly layouts?: Readonly<Record<string, string>>
  /** Sizes at which the stages `cost` and `memory` give numbers. */
  readonly showAt?: { readonly dims?: Readonly<Record<string, number>>; readonly threads?: number }
  /** Fusions of several kernels into one that are `false` are left, where they would have paid. */
  readonly fusions?: { readonly siblings?: boolean; readonly attention?: boolean }
  /** Refuses an artifact whose files are larger than this together. */
  readonly maxBytes?: number
  /** Refuses a model that needs more memory than this at every size of its dims. Default 4 GiB, the most that wasm has. */
  readonly maxMemory?: number
}

export interface EvaluateOptions {
  readonly compile?: CompileSettings
  /** `compile.targets` wins over what the model file asks for: the caller looks at one target. */
  readonly overrideTargets?: boolean
  /** Milliseconds for evaluation and compilation together. Default 120,000. */
  readonly timeout?: number
  /** Ends the evaluation's thread; what comes out is then the error `model/cancelled`. */
  readonly signal?: AbortSignal
  /** Told after five seconds what the thread is busy with, and each time the wait has doubled. */
  readonly onProgress?: (progress: Progress) => void
  /** Told what the file reads as far as it is known before the file runs: its modules, and the files they name. */
  readonly onDependencies?: (paths: readonly string[]) => void
  /** Where results are kept between runs; without it nothing is kept. */
  readonly cacheDir?: string
  /** Writes `cacheDir` anew instead of reading it. */
  readonly renew?: boolean
  /** What an import is short for, by the caller's own rules (a bundler's aliases): a path or a specifier, or nothing. */
  readonly resolve?: (specifier: string, importer: string) => string | undefined | Promise<string | undefined>
  /** Keeps every stage of the compiler as text (and skips the cache). */
  readonly stages?: boolean
  /** Where threads come from, for a caller that evaluates again and again. */
  readonly standby?: Standby
  /** Stands in for packages, by specifier: file URLs. For tests. */
  readonly standIns?: Readonly<Record<string, string>>
}

export type Data =
  | null
  | undefined
  | boolean
  | number
  | bigint
  | string
  | readonly Data[]
  | { readonly [key: string]: Data }

/** One stage of the compiler as text: the graph, the IR after a pass, a schedule, WGSL, … */
export interface StageText {
  readonly target: DeviceKind
  /** As the artifact's manifest names it: `simd-threads`. */
  readonly variant: string
  readonly stage: string
  readonly text: string
}

export interface EvaluatedProgram {
  readonly exportName: string
  readonly name: string
  /** `model` has one entry; `program` has several by name. */
  readonly kind: 'model' | 'program'
  readonly artifacts: readonly Artifact[]
  /** Targets that cannot run this program, where another one can. */
  readonly refused: readonly { readonly target: DeviceKind; readonly failure: Failure }[]
  readonly stages: readonly StageText[]
}

/** An error as plain data: it has crossed a thread, and its frame quotes the user's source as it was then. */
export interface Failure {
  readonly code: string
  /** One sentence. */
  readonly message: string
  /** Place, quoted lines and operands; empty where nothing is known. */
  readonly frame: string
  /** All of it, as a terminal shows it. */
  readonly text: string
  readonly details: Readonly<Record<string, unknown>>
  readonly stack: string
  readonly file?: string
  readonly line?: number
  readonly column?: number
}

/** An export that is neither a program nor data. */
export interface NotData {
  readonly exportName: string
  /** What it is, in words. */
  readonly is: string
  readonly at?: Span
}

export interface Evaluation {
  readonly file: string
  readonly programs: readonly EvaluatedProgram[]
  /** The other exports that are data. */
  readonly exports: Readonly<Record<string, Data>>
  /** The other exports that are not, and what they are in words. */
  readonly notData: readonly NotData[]
  /** Models that the file makes and does not export: nothing can reach them. */
  readonly unexported: readonly Failure[]
  /** Absolute paths, the model file first. Complete even where evaluation failed. */
  readonly dependencies: readonly string[]
  readonly error?: Failure
  /** Where the result came from, and what each part took. */
  readonly cached: boolean
  readonly ms: { readonly bundle: number; readonly evaluate: number }
  /** The folder in `cacheDir` that holds the files of the artifacts: see `fileOf`. */
  readonly folder?: string
}
