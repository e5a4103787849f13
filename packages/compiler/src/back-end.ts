/** @file What the pipeline asks of a back end, and what a back end gives. */
import type { DeviceKind, Entry, Manifest } from '@quern/artifact'
import type { ProgramGraph } from '@quern/core-ir'
import type { LoweringResult, TargetInfo } from '@quern/loop-opt'
import type { CompileOptions } from './options.ts'
import type { Emitted } from './weights-file.ts'

/** The code of one variant of a program, and where its constants and states go. */
export interface EmittedCode extends Emitted {
  readonly target: DeviceKind
  /** What tells this variant from others of the target, in the manifest. */
  readonly variant: string
  /** What the names of its files end in. */
  readonly endings: { readonly code: string; readonly weights: string }
  readonly code: Uint8Array
  readonly entries: Readonly<Record<string, Omit<Entry, 'predictedMs'>>>
  /** Kernel names by the index that status words use. */
  readonly kernels: readonly string[]
  /** Device features that the code needs. */
  readonly features: readonly string[]
  readonly wasm?: Manifest['wasm']
}

export interface BackEnd {
  /** The target as schedules and costs see it. */
  info(options: CompileOptions): TargetInfo
  /** Begins to load what emitting needs: the pipeline asks for it before anything else. */
  emitter(): Emit
}

export type Emit = (lowered: LoweringResult, program: ProgramGraph, options: CompileOptions) => Promise<EmittedCode>
