/** @file What is known at one point of a kernel while it is written. */
import type { DType } from '@quern/artifact'
import { type Index, type Kernel, type Range, type Scalar, childrenOf } from '@quern/core-ir'
import type { Helpers } from '../spelling/helpers.ts'
import { type Held, type Lanes, heldAs, typeName } from '../spelling/types.ts'
import { kernelError } from './errors.ts'
import type { Memory } from './memory.ts'
import type { Names } from './names.ts'
import type { Writer } from './writer.ts'

/** An expression in WGSL. */
export interface Value {
  readonly code: string
  readonly dtype: DType
  readonly held: Held
  readonly lanes: Lanes
  /** Made of literals only: WGSL would fold it, and reject an overflow. */
  readonly constant: boolean
  /** A name or a literal: free to repeat. */
  readonly atom: boolean
  /** Nesting of operators; deep expressions are broken up, since parsers limit their depth. */
  readonly depth: number
}

/** Inside a vector axis: all lanes at once. */
export interface VectorAxis {
  readonly axis: string
  readonly lanes: Lanes
}

export interface Context {
  readonly kernel: Kernel
  readonly f16: boolean
  readonly names: Names
  readonly helpers: Helpers
  readonly writer: Writer
  /** Buffers declared so far; names are unique in a kernel. */
  readonly memories: Map<string, Memory>
  /** Axes and symbols in scope. */
  readonly ranges: ReadonlyMap<string, Range>
  /** WGSL of each axis and symbol that is not fixed. */
  readonly axes: ReadonlyMap<string, string>
  /** Axes with a single value here: extent 1, or a vector axis taken lane by lane. */
  readonly fixed: ReadonlyMap<string, number>
  readonly vector: VectorAxis | undefined
  /** Names bound by `let`. */
  readonly lets: Map<string, Value>
  /** Registers of which each lane of the vector axis has its own. */
  readonly owned: Set<string>
  /** In a branch that some lanes take: which ones, and the registers declared inside it, which nobody else reads. */
  readonly mask: { readonly lanes: Value; readonly inside: Set<string> } | undefined
  /** Values of the current statement that already have a name, and how often each expression occurs in it. */
  readonly named: Map<string, Value>
  readonly uses: Map<string, number>
}

export const heldIn = (context: Context, dtype: DType): Held => {
  const held = heldAs(dtype, context.f16)
  if (held === undefined)
    throw kernelError('webgpu/unsupported-dtype', context.kernel, `WebGPU has no ${dtype} arithmetic`, { dtype })
  return held
}

/** Code without the parentheses around the whole of it. */
export const bare = (code: string): string => {
  if (!code.startsWith('(') || !code.endsWith(')')) return code
  let depth = 0
  for (let i = 0; i < code.length; i++) {
    if (code[i] === '(') depth++
    else if (code[i] === ')' && --depth === 0 && i < code.length - 1) return code
  }
  return code.slice(1, -1)
}

/** Names a value, unless it is a name or a literal. */
export const bind = (context: Context, value: Value, prefix = 't', hint = ''): Value => {
  if (value.atom) return value
  const name = context.names.fresh(prefix, hint)
  context.writer.line(`let ${name} = ${bare(value.code)};`)
  return { ...value, code: name, atom: true, constant: false, depth: 0 }
}

/** A scalar value repeated in every lane. */
export const splat = (value: Value, lanes: Lanes): Value =>
  value.lanes === lanes
    ? value
    : { ...value, code: `${typeName(value.held, lanes)}(${value.code})`, lanes, atom: false, depth: value.depth + 1 }

/** What has another value in each lane: names bound by `let`, and registers allocated inside the vector axis. */
export interface LaneScope {
  readonly lets: ReadonlyMap<string, { readonly lanes: number }>
  readonly owned: ReadonlySet<string>
}

/** Whether an index or scalar has another value in each lane of an axis. */
export const dependsOn = (x: Scalar | Index, axis: string, { lets, owned }: LaneScope): boolean => {
  const seen = new Set<unknown>()
  const scalar = (s: Scalar): boolean => {
    if (seen.has(s)) return false
    seen.add(s)
    switch (s.kind) {
      case 'index':
        return index(s.index)
      case 'ref':
        return (lets.get(s.name)?.lanes ?? 1) > 1
      case 'load':
        return owned.has(s.buffer) || s.indices.some(index) || childrenOf(s).some(scalar)
      default:
        return childrenOf(s).some(scalar)
    }
  }
  const index = (i: Index): boolean => {
    switch (i.kind) {
      case 'const':
        return false
      case 'var':
        return i.name === axis
      case 'value':
        return scalar(i.scalar)
      case 'div':
      case 'mod':
        return index(i.num) || index(i.den)
      case 'min':
      case 'max':
        return index(i.lhs) || index(i.rhs)
      case 'sum':
        return i.terms.some(t => t.factors.some(index))
    }
  }
  return isIndex(x) ? index(x) : scalar(x)
}
const indexKinds: ReadonlySet<string> = new Set(['const', 'var', 'div', 'mod', 'min', 'max', 'value', 'sum'])
const isIndex = (x: Scalar | Index): x is Index => indexKinds.has(x.kind) && !('dtype' in x)
