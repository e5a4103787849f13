/** @file What the writer of one kernel knows at its current point. */
import type { DType } from '@quern/artifact'
import { type BufferDecl, type Index, type Range, type Scalar, ix } from '@quern/core-ir'
import { defect } from '../defect.ts'
import { vectorConstant } from '../spelling/constants.ts'
import { type HelperName } from '../spelling/helpers.ts'
import { type Spell, classOf } from '../spelling/values.ts'
import { type Chunk, FunctionWriter } from '../text/function-writer.ts'
import { type WasmType, get } from '../text/wat.ts'
import { type Mentions, mentionsOf } from './analysis.ts'

/** Where a buffer lives: an address held in a local, or locals (one an element, or one a vector of the last dim). */
export type Home =
  | { readonly kind: 'memory'; readonly decl: BufferDecl; readonly pointer: string }
  | { readonly kind: 'locals'; readonly decl: BufferDecl; readonly lanes: number; readonly names: readonly string[] }

/** A loop that is being written. Level 0 is the function itself. */
export interface Scope {
  readonly level: number
  readonly axis: string | undefined
  /** The local that counts, and what it starts from. */
  readonly counter: string
  readonly start: string
  readonly innermost: boolean
  /** Whether this axis, or one around it, is split over the team. */
  readonly parallel: boolean
  /** Before the loop, at the top of its body, and at its end. */
  readonly before: Chunk
  readonly top: Chunk
  readonly bottom: Chunk
  /** Running locals of an innermost loop, with what each is advanced by. */
  readonly running: { readonly pointer: string; readonly step: string }[]
  /** Locals that hold sums of terms up to this level, by their text. */
  readonly partials: Map<string, string>
}

/** Expressions held in locals while a block is written. */
export interface Frame {
  readonly counts: ReadonlyMap<string, number>
  readonly held: Map<string, { readonly parts: readonly string[]; readonly needs: ReadonlySet<string> }>
}

/** The vector loop that is being written, and the lanes that are active (masks of 32-bit lanes; undefined: all). */
export interface Vector {
  readonly axis: string
  readonly extent: number
  mask: readonly string[] | undefined
  /** Which expressions differ between lanes, as far as that was asked. */
  readonly varying: Map<Scalar, boolean>
}

export const openVector = (axis: string, extent: number): Vector => ({
  axis,
  extent,
  mask: undefined,
  varying: new Map(),
})

export interface LetHome {
  /** 1 where all lanes share the value. */
  readonly lanes: number
  readonly dtype: DType
  readonly names: readonly string[]
  /** The one vector that holds a shared value in every lane, instead of a scalar. */
  readonly everywhere?: string
}

export class KernelState implements Spell {
  readonly w = new FunctionWriter()
  readonly homes = new Map<string, Home>()
  readonly lets = new Map<string, LetHome>()
  readonly ranges = new Map<string, Range>()
  /** The parameter of each shape symbol. */
  readonly symbols = new Map<string, string>()
  readonly scopes: Scope[] = []
  readonly frames: Frame[] = []
  vector: Vector | undefined
  readonly relaxed: boolean
  /** The locals of constant vectors, by their text. */
  private readonly constants = new Map<string, string>()
  private readonly mentioned = new WeakMap<Scalar, Mentions>()
  private readonly strides = new WeakMap<BufferDecl, readonly Index[]>()
  private readonly use: (name: HelperName) => void

  constructor(relaxed: boolean, use: (name: HelperName) => void) {
    this.relaxed = relaxed
    this.use = use
  }

  hold(expr: string, type: WasmType): string {
    return /^\((?:local\.get|\w+\.const) [^()]+\)$/.test(expr) ? expr : this.w.hold(expr, type)
  }
  /**
   * A constant vector. In a loop it is a local, set once at the top of the function: engines make a constant anew in every
   * round, by three instructions, and a local costs a register or one load. Zeros and ones are made by one instruction, and
   * what stands under a mask seldom runs.
   */
  constantVector(dtype: DType, value: number | bigint): string {
    const text = vectorConstant(dtype, value)
    if (this.scopes.length < 2 || this.vector?.mask !== undefined || isAllZerosOrOnes(dtype, value)) return text
    const known = this.constants.get(text)
    if (known !== undefined) return get(known)
    const local = this.w.local('k', 'v128')
    this.w.into(this.scopeAt(0).top, () => this.w.set(local, text))
    this.constants.set(text, local)
    return get(local)
  }
  helper(name: HelperName): string {
    this.use(name)
    return `$${name}`
  }

  get scope(): Scope {
    const scope = this.scopes.at(-1)
    if (scope === undefined) throw defect('no scope is open')
    return scope
  }
  scopeAt(level: number): Scope {
    const scope = this.scopes[level]
    if (scope === undefined) throw defect(`no scope has level ${level}`)
    return scope
  }
  home(buffer: string): Home {
    const home = this.homes.get(buffer)
    if (home === undefined) throw defect(`the kernel has no buffer ${buffer}`)
    return home
  }

  /** What an expression mentions. */
  mentions(x: Scalar): Mentions {
    const known = this.mentioned.get(x)
    if (known !== undefined) return known
    const found = mentionsOf([x])
    this.mentioned.set(x, found)
    return found
  }
  /** Elements between neighbours along each dim. */
  stridesOf(decl: BufferDecl): readonly Index[] {
    const known = this.strides.get(decl)
    if (known !== undefined) return known
    const strides = decl.strides ?? ix.rowMajorStrides(decl.shape)
    this.strides.set(decl, strides)
    return strides
  }

  /** The locals that hold an expression already. */
  held(key: string): readonly string[] | undefined {
    for (let i = this.frames.length - 1; i >= 0; i--) {
      const found = this.frames[i]?.held.get(key)
      if (found !== undefined) return found.parts
    }
    return undefined
  }
  isReused(key: string): boolean {
    return (this.frames.at(-1)?.counts.get(key) ?? 0) > 1
  }
  remember(key: string, x: Scalar, parts: readonly string[], frame: Frame | undefined = this.frames.at(-1)): void {
    const { buffers, refs } = this.mentions(x)
    frame?.held.set(key, { parts, needs: new Set([...buffers, ...refs]) })
  }
  /** A buffer was written or a name bound anew: what was read of it is stale. */
  forget(name: string): void {
    for (const frame of this.frames)
      for (const [key, { needs }] of frame.held) if (needs.has(name)) frame.held.delete(key)
  }
  /** The team met: what others wrote is to be read anew. */
  forgetAll(): void {
    for (const frame of this.frames) frame.held.clear()
  }
  /** Writes a block whose held expressions end with it. */
  framed<T>(counts: ReadonlyMap<string, number>, write: () => T): T {
    this.frames.push({ counts, held: new Map() })
    const result = write()
    this.frames.pop()
    return result
  }

  getAll(names: readonly string[]): readonly string[] {
    return names.map(get)
  }
}

const isAllZerosOrOnes = (dtype: DType, value: number | bigint): boolean => {
  const n = Number(value)
  return Object.is(n, 0) || (n === -1 && classOf[dtype] !== 'float') || (dtype === 'bool' && n === 1)
}

/** The scope of a whole function, whose top is the current point. */
export const functionScope = (k: KernelState): Scope => {
  const top = k.w.chunk()
  return {
    level: 0,
    axis: undefined,
    counter: '',
    start: '',
    innermost: false,
    parallel: false,
    before: top,
    top,
    bottom: top,
    running: [],
    partials: new Map(),
  }
}
