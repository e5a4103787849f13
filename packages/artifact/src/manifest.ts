/** @file The manifest: everything the runtime knows of a compiled program, as plain JSON. */
import type { DType } from './dtype.ts'
import type { DeviceKind } from './public-types.ts'

/**
 * An integer expression over symbols: a number, a symbol's name, or an operator and its operands.
 * `/` is floor division, `%` the non-negative remainder.
 */
export type Expr = number | string | readonly ['+' | '*' | '/' | '%' | 'min' | 'max', ...Expr[]]

export interface SymbolBounds {
  readonly min: number
  readonly max?: number
  readonly multipleOf?: number
}

/** A file of the artifact. `bytes` is its decoded size; `sha256` has one hex digest per {@link chunkBytes}. */
export interface AssetRef {
  readonly file: string
  readonly bytes: number
  readonly sha256: readonly string[]
}
export const chunkBytes = 4 * 1024 * 1024

/** Buffers are aligned to and padded to this many bytes: reading past the end, up to it, is legal. */
export const bufferAlignment = 64

export interface Port {
  readonly name: string
  readonly dtype: DType
  readonly shape: readonly Expr[]
  /** Index into the target plan's `buffers`. */
  readonly buffer: number
  /** What the buffer holds for each element, where that is not `dtype`: WebGPU widens narrow dtypes, and narrows proven i64. */
  readonly held?: DType
}

/** wasm: one linear memory = header | constants and states | arena. Offsets in bytes. */
export interface WasmLayout {
  /** Header word (i32) of each symbol: the host writes those of the inputs before a run and reads data-defined ones after it. */
  readonly symbols: Readonly<Record<string, number>>
  /** Where `weights` is copied. */
  readonly constantsAt: number
  readonly statesAt: number
  readonly arenaAt: number
  /** `undefined` for an unshared memory; else maximum pages of the shared one. */
  readonly sharedMaxPages?: number
}

/** Byte offsets of header words, equal in every wasm artifact. A run's status is (kernel << 8 | reason) with its index beside it. */
export const wasmHeader = {
  abort: 0,
  status: 4,
  statusIndex: 8,
  teamSize: 12,
  barrierCount: 16,
  barrierEpoch: 20,
  condition: 24,
  /** Not 0: plans call `env.clock` with a kernel's index after each of its calls, and with -1 before the first. */
  profile: 28,
  symbols: 64,
} as const

/** What a plan's status word may say; the runtime turns it into a coded error. */
export const statusReasons = ['ok', 'aborted', 'index-out-of-range', 'loop-limit'] as const

export interface WasmEntry {
  /** Exported function `(thread: i32) -> i32 status`. */
  readonly export: string
  /** Absolute byte address of each buffer a port names, over symbols. */
  readonly buffers: readonly Expr[]
  /** Bytes of arena this run needs. */
  readonly arenaBytes: Expr
  readonly parallel: boolean
  /**
   * Rows along the symbol are independent, and it is the first dim of every port that has it: a run of more than `rows` is cut
   * into rounds of so many.
   */
  readonly stream?: { readonly symbol: string; readonly rows: Expr }
}

export type GpuStep =
  | {
      readonly kind: 'dispatch'
      readonly shader: number
      readonly bindings: readonly number[]
      readonly uniforms: readonly Expr[]
      readonly workgroups: readonly [Expr, Expr, Expr]
    }
  | {
      readonly kind: 'copy'
      readonly from: number
      readonly to: number
      readonly bytes: Expr
      readonly fromAt?: Expr
      readonly toAt?: Expr
    }
  | { readonly kind: 'clear'; readonly buffer: number }
  /** Reads a 32-bit count into a symbol, at least 0 and at most `max`. */
  | { readonly kind: 'define'; readonly symbol: string; readonly buffer: number; readonly max?: Expr }
  | {
      readonly kind: 'if'
      readonly condition: number
      readonly then: readonly GpuStep[]
      readonly else: readonly GpuStep[]
    }
  | {
      readonly kind: 'loop'
      readonly counter?: string
      readonly limit?: Expr
      readonly limitBuffer?: number
      readonly condition?: number
      readonly body: readonly GpuStep[]
    }

export interface GpuBuffer {
  /** Bytes on the device (widened elements), over symbols. */
  readonly bytes: Expr
  readonly kind: 'slot' | 'constant' | 'state'
  /** constants: byte offset in `weights`; states: index into the program's state buffers (see {@link StatePort.at}). */
  readonly at?: number
}

export interface GpuShader {
  readonly kernel: string
  readonly code: string
  /** One per binding, in order; the uniform block, if any, is the last binding. */
  readonly access: readonly ('read' | 'read_write')[]
  readonly uniforms: number
}

export interface GpuEntry {
  readonly buffers: readonly GpuBuffer[]
  readonly steps: readonly GpuStep[]
  /** Buffer holding (status, index), read back with the outputs. */
  readonly status?: number
}

export interface Entry {
  readonly inputs: readonly Port[]
  readonly outputs: readonly Port[]
  /**
   * Predicted milliseconds of one run over the dims, for the choice of device and thread: copies in and out, hand-over and
   * readback included. The one expression whose numbers may be fractions.
   */
  readonly predictedMs: Expr
  readonly wasm?: WasmEntry
  readonly webgpu?: GpuEntry
}

export interface StatePort {
  readonly name: string
  readonly dtype: DType
  readonly shape: readonly number[]
  /** wasm: byte address. webgpu: index into the program's state buffers. */
  readonly at: number
  /** Byte offset of the initial value in `weights`; absent means zeros. */
  readonly init?: number
}

export interface Manifest {
  readonly format: 1
  readonly name: string
  readonly target: DeviceKind
  /** Which code variant this is, e.g. `simd`, `simd-threads`, `f16`. */
  readonly variant: string
  readonly symbols: Readonly<Record<string, SymbolBounds>>
  readonly entries: Readonly<Record<string, Entry>>
  readonly states: readonly StatePort[]
  /** wasm: the module. webgpu: a JSON array of {@link GpuShader}s. */
  readonly code: AssetRef
  readonly weights?: AssetRef
  readonly wasm?: WasmLayout
  /** Device features a variant needs, checked before it is chosen. */
  readonly features: readonly string[]
  /** Kernel names by index, for status words and profiles. */
  readonly kernels: readonly string[]
}

/** A compiled program for one target: its manifest and the files the manifest names. */
export interface Artifact {
  readonly manifest: Manifest
  readonly files: Readonly<Record<string, Uint8Array>>
}

/** Where the runtime gets a file of an artifact: a URL (`file:` on a server), or a function that reads its bytes. */
export type AssetSource = string | (() => Promise<Uint8Array>)

export interface ArtifactParts {
  readonly manifest: Manifest
  /** By the file names that the manifest uses. */
  readonly assets: Readonly<Record<string, AssetSource>>
}

/** What an emitted stub hands to the runtime's `createModel`: a program compiled for every target and variant. */
export interface ModelParts {
  readonly name: string
  /** `model` has one entry and runs by itself; `program` has one runner for each entry. */
  readonly kind: 'model' | 'program'
  readonly artifacts: readonly ArtifactParts[]
}
