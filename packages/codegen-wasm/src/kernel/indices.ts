/** @file Writes index expressions. Each term is computed in the outermost loop that knows its variables, once. */
import { type Atom, type Index, type Scalar, type Term, ix, rangeOf, simplify } from '@quern/core-ir'
import { defect } from '../defect.ts'
import { addI32, get, i32, mulI32 } from '../text/wat.ts'
import type { KernelState, Scope } from './state.ts'

/** Writes the data of a `value` atom as an i32. */
export type ValueOf = (x: Scalar) => string

/** The loop level where an atom is known; Infinity where it is data. */
const levelOfAtom = (k: KernelState, atom: Atom): number => {
  switch (atom.kind) {
    case 'value':
      return Infinity
    case 'var':
      return k.symbols.has(atom.name) ? 0 : (k.scopes.find(s => s.axis === atom.name)?.level ?? unbound(atom.name))
    case 'div':
    case 'mod':
      return Math.max(levelOf(k, atom.num), levelOf(k, atom.den))
    case 'min':
    case 'max':
      return Math.max(levelOf(k, atom.lhs), levelOf(k, atom.rhs))
  }
}
const unbound = (name: string): never => {
  throw defect(`the index variable ${name} is not bound here`)
}
const levelOfTerm = (k: KernelState, term: Term): number => Math.max(0, ...term.factors.map(f => levelOfAtom(k, f)))
const levelOf = (k: KernelState, x: Index): number => Math.max(0, ...ix.split(x).terms.map(t => levelOfTerm(k, t)))

const variable = (k: KernelState, name: string): string => {
  const symbol = k.symbols.get(name)
  if (symbol !== undefined) return get(symbol)
  return get(k.scopes.find(s => s.axis === name)?.counter ?? unbound(name))
}

const isPowerOfTwo = (n: number): boolean => n > 0 && (n & (n - 1)) === 0

const division = (k: KernelState, atom: Extract<Atom, { kind: 'div' | 'mod' }>, num: string, den: string): string => {
  const n = rangeOf(atom.num, k.ranges),
    d = rangeOf(atom.den, k.ranges)
  if (ix.isConst(atom.den) && isPowerOfTwo(atom.den.value))
    // Shifting and masking floor by themselves, for negative numbers too.
    return atom.kind === 'div'
      ? `(i32.shr_s ${num} ${i32(Math.log2(atom.den.value))})`
      : `(i32.and ${num} ${i32(atom.den.value - 1)})`
  if (n.min >= 0 && d.min >= 1) return `(i32.${atom.kind === 'div' ? 'div_u' : 'rem_u'} ${num} ${den})`
  return `(call ${k.helper(atom.kind === 'div' ? 'floor_div' : 'floor_mod')} ${num} ${den})`
}

/** An atom at the current point of the text; its parts may be hoisted further. */
const writeAtom = (k: KernelState, atom: Atom, valueOf: ValueOf): string => {
  const level = levelOfAtom(k, atom)
  switch (atom.kind) {
    case 'var':
      return variable(k, atom.name)
    case 'value':
      return valueOf(atom.scalar)
    default:
      return level === Infinity
        ? compute(k, atom, valueOf)
        : heldAt(k, level, `atom ${atom.key}`, () => compute(k, atom, valueOf))
  }
}
const compute = (k: KernelState, atom: Exclude<Atom, { kind: 'var' | 'value' }>, valueOf: ValueOf): string => {
  if (atom.kind === 'div' || atom.kind === 'mod')
    return division(k, atom, writeIndex(k, atom.num, valueOf), writeIndex(k, atom.den, valueOf))
  const a = k.hold(writeIndex(k, atom.lhs, valueOf), 'i32'),
    b = k.hold(writeIndex(k, atom.rhs, valueOf), 'i32')
  return `(select ${a} ${b} (i32.${atom.kind === 'min' ? 'lt_s' : 'gt_s'} ${a} ${b}))`
}

/** Runs `write` in the scope of a level, at the top of its body, and keeps the result in a local there. */
const heldAt = (k: KernelState, level: number, key: string, write: () => string): string => {
  const scope = k.scopeAt(level)
  const known = scope.partials.get(key)
  if (known !== undefined) return known
  const local = inScope(k, level, scope.top, () => k.hold(write(), 'i32'))
  scope.partials.set(key, local)
  return local
}

/** Writes into a chunk of a scope, as if the loops inside it were not open. */
const inScope = <T>(k: KernelState, level: number, chunk: Scope['top'], write: () => T): T => {
  const inner = k.scopes.splice(level + 1)
  const result = k.w.into(chunk, write)
  k.scopes.push(...inner)
  return result
}

const writeTerm = (k: KernelState, term: Term, valueOf: ValueOf): string =>
  term.factors.map(f => writeAtom(k, f, valueOf)).reduce((p, f) => mulI32(p, f), i32(term.coef))

const isTrivial = (expr: string): boolean => /^\((?:local\.get [^()]+|i32\.const -?\d+)\)$/.test(expr)

/** Terms grouped by the level where they are known, outermost first; data last. */
const byLevel = (k: KernelState, terms: readonly Term[]): { level: number; terms: Term[] }[] => {
  const levels = new Map<number, Term[]>()
  for (const t of terms) {
    const level = levelOfTerm(k, t)
    levels.set(level, [...(levels.get(level) ?? []), t])
  }
  return [...levels].map(([level, ts]) => ({ level, terms: ts })).sort((a, b) => a.level - b.level)
}
const keyOf = (terms: readonly Term[]): string => ix.fromTerms(0, terms).key

/** The value of an index, at the current point. */
export const writeIndex = (k: KernelState, raw: Index, valueOf: ValueOf): string => {
  const x = simplify(raw, k.ranges)
  const { offset, terms } = ix.split(x)
  return addI32(writeSum(k, 'i32', i32(0), terms, valueOf, false), i32(offset))
}

/**
 * `base` plus terms, each level's sum in a local of its loop. With `bump`, a sum that is linear in the axis of an
 * innermost loop is a running local: set before the loop, advanced at the end of its body.
 */
const writeSum = (
  k: KernelState,
  baseKey: string,
  base: string,
  terms: readonly Term[],
  valueOf: ValueOf,
  bump: boolean,
): string => {
  let sum = base
  const seen: Term[] = []
  for (const { level, terms: here } of byLevel(k, terms)) {
    seen.push(...here)
    const before = sum
    const whole = (): string => here.reduce((s, t) => addI32(s, writeTerm(k, t, valueOf)), before)
    if (level === Infinity) {
      sum = whole()
      continue
    }
    const scope = k.scopeAt(level)
    const key = `${bump ? '*' : ''}${baseKey} ${keyOf(seen)}`
    const known = scope.partials.get(key)
    if (known !== undefined) {
      sum = known
      continue
    }
    const step = bump && scope.innermost && scope.axis !== undefined ? stepOf(here, scope.axis) : undefined
    if (step === undefined) sum = inScope(k, level, scope.top, () => heldUnlessTrivial(k, whole(), baseKey))
    else sum = running(k, scope, before, step, baseKey, valueOf)
    scope.partials.set(key, sum)
  }
  return sum
}
const heldUnlessTrivial = (k: KernelState, expr: string, hint: string): string =>
  isTrivial(expr) ? expr : k.w.hold(expr, 'i32', hint === 'i32' ? 'at' : `${hint}_at`)

/** A local that holds `before + axis · step` throughout an innermost loop. */
const running = (k: KernelState, scope: Scope, before: string, step: Index, hint: string, valueOf: ValueOf): string => {
  const outer = scope.level - 1
  return inScope(k, outer, scope.before, () => {
    const by = writeIndex(k, step, valueOf)
    const held = isTrivial(by) ? by : k.w.hold(by, 'i32', `${hint}_step`)
    const pointer = k.w.local(`${hint}_ptr`, 'i32')
    k.w.set(pointer, addI32(before, mulI32(scope.start, held)))
    k.w.into(scope.bottom, () => k.w.set(pointer, addI32(get(pointer), held)))
    scope.running.push({ pointer, step: held })
    return get(pointer)
  })
}

/** The factor of an axis in terms that are linear in it, or undefined. */
const stepOf = (terms: readonly Term[], axis: string): Index | undefined => {
  const steps: Index[] = []
  for (const term of terms) {
    const rest = term.factors.filter(f => !(f.kind === 'var' && f.name === axis))
    if (rest.length !== term.factors.length - 1 || rest.some(f => mentions(f, axis))) return undefined
    steps.push(ix.fromTerms(0, [{ coef: term.coef, factors: rest }]))
  }
  return ix.add(...steps)
}
export const mentions = (x: Index, axis: string): boolean => {
  let found = false
  ix.visitAtoms(x, atom => {
    if (atom.kind === 'var' && atom.name === axis) found = true
  })
  return found
}

/** The address of `base + bytes`, where constants go into the offset as far as no wrap-around can occur. */
export const writePointer = (
  k: KernelState,
  buffer: string,
  base: string,
  bytes: Index,
  valueOf: ValueOf,
): { pointer: string; offset: number; safe: boolean } => {
  const { offset, terms } = ix.split(bytes)
  const pointer = writeSum(k, buffer, get(base), terms, valueOf, true)
  const safe = rangeOf(ix.fromTerms(0, terms), k.ranges).min >= 0
  return safe && offset >= 0
    ? { pointer, offset, safe }
    : { pointer: addI32(pointer, i32(offset)), offset: 0, safe: false }
}
