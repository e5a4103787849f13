/** @file Checks scalar and index expressions inside a kernel: names, ranks and dtypes. */
import type { DType } from '@quern/artifact'
import { type Index, visitAtoms } from '../index/index-expr.ts'
import { intrinsics } from '../scalar/intrinsics.ts'
import { accepts, binaryOps, unaryOps } from '../scalar/scalar-ops.ts'
import { type Scalar, childrenOf } from '../scalar/scalar.ts'
import { bitWidth } from '../scalar/value.ts'
import type { AllocSpace, BufferDecl, Param } from './kernel.ts'

/** What a name stands for at a statement. `differs`: whether invocations may hold different values. */
export type Named =
  | { readonly kind: 'symbol' }
  | { readonly kind: 'axis'; readonly differs: boolean }
  | { readonly kind: 'let'; readonly dtype: DType; readonly differs: boolean }
  | {
      readonly kind: 'buffer'
      readonly decl: BufferDecl
      readonly space: AllocSpace | 'param'
      readonly access: Param['access']
      readonly depth: number
    }
export type NameScope = ReadonlyMap<string, Named>

export type Say = (code: string, message: string, focus?: string) => void

export const checkIndex = (x: Index, scope: NameScope, say: Say): void =>
  visitAtoms(x, atom => {
    if (atom.kind === 'var') {
      const kind = scope.get(atom.name)?.kind
      if (kind !== 'axis' && kind !== 'symbol')
        say('loop/unknown-name', `${atom.name} is neither an axis nor a symbol here`, atom.name)
    }
    if (atom.kind === 'value') {
      if (atom.scalar.dtype !== 'i32')
        say('loop/wrong-dtype', `an index is made of i32 values, not of ${atom.scalar.dtype}`)
      checkScalar(atom.scalar, scope, say)
    }
  })

export const checkAccess = (
  buffer: string,
  indices: readonly Index[],
  scope: NameScope,
  say: Say,
): Extract<Named, { kind: 'buffer' }> | undefined => {
  for (const i of indices) checkIndex(i, scope, say)
  const found = scope.get(buffer)
  if (found?.kind !== 'buffer') {
    say('loop/unknown-name', `there is no buffer ${buffer} here`, buffer)
    return undefined
  }
  if (indices.length !== found.decl.shape.length)
    say(
      'loop/wrong-rank',
      `${buffer} has ${found.decl.shape.length} dims, and ${indices.length} subscripts are given`,
      buffer,
    )
  return found
}

export const checkScalar = (x: Scalar, scope: NameScope, say: Say): void => {
  for (const child of childrenOf(x)) checkScalar(child, scope, say)
  switch (x.kind) {
    case 'const':
      return
    case 'index':
      return checkIndex(x.index, scope, say)
    case 'load': {
      const found = checkAccess(x.buffer, x.indices, scope, say)
      if (found !== undefined && found.decl.dtype !== x.dtype)
        say('loop/wrong-dtype', `${x.buffer} holds ${found.decl.dtype}, and is read as ${x.dtype}`, x.buffer)
      if (found?.access === 'write') say('loop/wrong-access', `${x.buffer} is for writing, and is read`, x.buffer)
      if (x.guard !== undefined && x.guard.dtype !== 'bool')
        say('loop/wrong-dtype', `a guard is bool, not ${x.guard.dtype}`)
      if (x.fill !== undefined && x.fill.dtype !== x.dtype)
        say('loop/wrong-dtype', `${x.buffer} holds ${x.dtype}, and what stands in for it is ${x.fill.dtype}`, x.buffer)
      return
    }
    case 'ref': {
      const found = scope.get(x.name)
      if (found?.kind !== 'let') say('loop/unknown-name', `${x.name} is not bound here`, x.name)
      else if (found.dtype !== x.dtype)
        say('loop/wrong-dtype', `${x.name} is ${found.dtype}, and is used as ${x.dtype}`, x.name)
      return
    }
    case 'unary':
      if (!accepts(unaryOps[x.op].accepts, x.operand.dtype))
        say('loop/wrong-dtype', `${x.op} does not take ${x.operand.dtype}`, x.op)
      return
    case 'binary':
      if (!accepts(binaryOps[x.op].accepts, x.lhs.dtype))
        say('loop/wrong-dtype', `${x.op} does not take ${x.lhs.dtype}`, x.op)
      return
    case 'bitcast':
      if (bitWidth[x.dtype] !== bitWidth[x.operand.dtype])
        say('loop/wrong-dtype', `${x.operand.dtype} and ${x.dtype} have different widths`, 'bitcast')
      return
    case 'intrinsic': {
      const known = Object.hasOwn(intrinsics, x.name) ? intrinsics[x.name] : undefined
      if (known === undefined) say('loop/unknown-name', `there is no intrinsic ${x.name}`, x.name)
      else if (
        known.result !== x.dtype ||
        known.args.length !== x.args.length ||
        known.args.some((d, i) => x.args[i]?.dtype !== d)
      )
        say('loop/wrong-dtype', `${x.name} takes (${known.args.join(', ')}) and gives ${known.result}`, x.name)
      return
    }
    case 'reduce':
      return say(
        'loop/reduce-in-kernel',
        `${x.reducer} over axes is index notation: kernels spell it as loops`,
        'reduce',
      )
    case 'select':
    case 'cast':
      return
  }
}
