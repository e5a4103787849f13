/** @file Scalar expressions as WGSL expressions, over one lane or all lanes of a vector axis. */
import { type Scalar, childrenOf, isFloat, isInteger } from '@quern/core-ir'
import { type BinaryOperands, isBasicBinary, mayOverflow, spellBinary } from '../spelling/binary.ts'
import { normalise, spellBitcast, spellCast } from '../spelling/cast.ts'
import { spellLiteral } from '../spelling/literals.ts'
import type { Lanes } from '../spelling/types.ts'
import { isBasicUnary, spellUnary, unaryMayOverflow } from '../spelling/unary.ts'
import { flatIndex } from './access.ts'
import { type Context, type Value, bind, heldIn, splat } from './context.ts'
import { kernelError } from './errors.ts'
import { indexValue, laneStep } from './index-code.ts'
import { loadLanes, loadOne } from './memory.ts'

/** Parsers limit the nesting of expressions (Tint: 128 levels). */
const deepest = 24

/** The value of an expression; statements that it needs first are written. */
export const scalarCode = (x: Scalar, context: Context): Value => {
  const known = context.named.get(x.key)
  if (known !== undefined) return known
  const value = spell(x, context)
  const repeated = (context.uses.get(x.key) ?? 0) > 1
  if (!repeated && value.depth < deepest) return value
  const named = bind(context, value)
  context.named.set(x.key, named)
  return named
}

/** The context of a new statement, which names each expression that occurs in it more than once. */
export const forStatement = (context: Context, ...roots: readonly Scalar[]): Context => {
  const uses = new Map<string, number>()
  const visit = (x: Scalar): void => {
    const count = (uses.get(x.key) ?? 0) + 1
    uses.set(x.key, count)
    if (count === 1) childrenOf(x).forEach(visit)
  }
  roots.forEach(visit)
  return { ...context, uses, named: new Map() }
}

const spell = (x: Scalar, context: Context): Value => {
  const { helpers } = context
  switch (x.kind) {
    case 'const': {
      const held = heldIn(context, x.dtype)
      const code = spellLiteral(x.value, x.dtype, held, bits => `${helpers.use('from_bits')}(${bits})`)
      return { code, dtype: x.dtype, held, lanes: 1, constant: !code.includes('from_bits'), atom: true, depth: 0 }
    }
    case 'index':
      heldIn(context, x.dtype)
      return indexValue(x.index, context)
    case 'ref': {
      const value = context.lets.get(x.name)
      if (value === undefined) throw new Error(`kernel ${context.kernel.name} has no value ${x.name} here`)
      return value
    }
    case 'load':
      return loadCode(x, context)
    case 'unary': {
      if (!isBasicUnary(x.op)) throw notBasic(x.op, context)
      const [a] = operands([x.operand], context)
      if (a === undefined) throw new Error('unreachable')
      const code = spellUnary[x.op]({ a: a.code, held: a.held, lanes: a.lanes, helpers })
      const held = heldIn(context, x.dtype)
      const fits = unaryMayOverflow.has(x.op) ? normalise(code, x.dtype, held, a.lanes, helpers) : code
      return made(fits, x, context, a.lanes, [a])
    }
    case 'binary':
      return binaryCode(x, context)
    case 'select': {
      const [condition, then, otherwise] = operands([x.condition, x.then, x.otherwise], context)
      if (condition === undefined || then === undefined || otherwise === undefined) throw new Error('unreachable')
      const code = `select(${otherwise.code}, ${then.code}, ${condition.code})`
      return made(code, x, context, then.lanes, [condition, then, otherwise])
    }
    case 'cast': {
      const [operand] = operands([x.operand], context)
      if (operand === undefined) throw new Error('unreachable')
      const a = isFloat(operand.dtype) ? bind(context, operand) : operand
      return made(spellCast(a, x.dtype, heldIn(context, x.dtype), helpers), x, context, a.lanes, [a])
    }
    case 'bitcast': {
      const [a] = operands([x.operand], context)
      if (a === undefined) throw new Error('unreachable')
      return made(spellBitcast(a, x.dtype, heldIn(context, x.dtype), helpers), x, context, a.lanes, [a])
    }
    case 'intrinsic': {
      const spelled = intrinsics[x.name]
      if (spelled === undefined)
        throw kernelError('webgpu/not-legalised', context.kernel, `no WGSL spelling of the intrinsic ${x.name}`)
      const args = operands(x.args, context)
      return made(spelled(args.map(a => a.code)), x, context, args[0]?.lanes ?? 1, args)
    }
    case 'reduce':
      throw kernelError('webgpu/not-legalised', context.kernel, 'a reducer was not lowered to loops')
  }
}

const intrinsics: Readonly<Record<string, (args: readonly string[]) => string>> = {
  madd: args => `fma(${args.join(', ')})`,
  nmadd: ([a, b, c]) => `fma(-(${a}), ${b}, ${c})`,
}

const notBasic = (op: string, context: Context): Error =>
  kernelError('webgpu/not-legalised', context.kernel, `${op} was not expanded into basic scalar ops`, { op })

const made = (code: string, x: Scalar, context: Context, lanes: Lanes, parts: readonly Value[]): Value => ({
  code,
  dtype: x.dtype,
  held: heldIn(context, x.dtype),
  lanes,
  constant: false,
  atom: false,
  depth: 1 + Math.max(0, ...parts.map(p => p.depth)),
})

/** Operands with equal lanes. If all are literals, the first is hidden from WGSL's constant evaluation. */
const operands = (xs: readonly Scalar[], context: Context): Value[] => {
  const values = xs.map(x => scalarCode(x, context))
  const lanes = values.reduce<Lanes>((most, v) => (v.lanes > most ? v.lanes : most), 1)
  const [first, ...rest] = values
  const shown =
    first !== undefined && values.every(v => v.constant)
      ? [
          {
            ...first,
            code: `${context.helpers.use(`opaque_${first.held}`)}(${first.code})`,
            constant: false,
            atom: false,
          },
          ...rest,
        ]
      : values
  return shown.map(v => splat(v, lanes))
}

const binaryCode = (x: Extract<Scalar, { kind: 'binary' }>, context: Context): Value => {
  const { op } = x
  if (!isBasicBinary(op)) throw notBasic(op, context)
  const bool = x.dtype === 'bool'
  const comparesFloats = bool && isFloat(x.lhs.dtype)
  const nan = { a: mayBeNaN(x.lhs), b: mayBeNaN(x.rhs) }
  const [a, b] = operands([x.lhs, x.rhs], context).map((v, i) =>
    comparesFloats && (i === 0 ? nan.a : nan.b) ? bind(context, v) : v,
  )
  if (a === undefined || b === undefined) throw new Error('unreachable')
  const o: BinaryOperands = {
    a: a.code,
    b: b.code,
    held: a.held,
    dtype: x.lhs.dtype,
    lanes: a.lanes,
    helpers: context.helpers,
    nan,
  }
  const plain = clampToLiteral(x, a, b, context) ?? spellBinary[op](o)
  const held = heldIn(context, x.dtype)
  const fits = mayOverflow.has(op) ? normalise(plain, x.dtype, held, a.lanes, context.helpers) : plain
  return made(fits, x, context, a.lanes, [a, b])
}

/** `max(x, 0)` and its kind need one comparison: the literal is known not to be NaN. */
const clampToLiteral = (
  x: Extract<Scalar, { kind: 'binary' }>,
  a: Value,
  b: Value,
  context: Context,
): string | undefined => {
  if ((x.op !== 'max' && x.op !== 'min') || x.dtype !== 'f32') return undefined
  const literal = x.rhs.kind === 'const' ? x.rhs : x.lhs.kind === 'const' ? x.lhs : undefined
  if (literal === undefined || Number.isNaN(Number(literal.value))) return undefined
  const [value, limit] = literal === x.rhs ? [bind(context, a), b] : [bind(context, b), a]
  // Of two zeros the signed one must be kept where it is smaller (min) or the unsigned one where it is larger (max).
  const negative = Object.is(Number(literal.value), -0)
  const sign = x.op === 'max' ? (negative ? '>=' : '>') : negative ? '<' : '<='
  const nan = `${context.helpers.use('is_nan', a.lanes)}(${value.code})`
  return `select(${limit.code}, ${value.code}, (${value.code} ${sign} ${limit.code}) | ${nan})`
}

/** False only where it is certain. */
const mayBeNaN = (x: Scalar): boolean => {
  switch (x.kind) {
    case 'const':
      return Number.isNaN(Number(x.value))
    case 'index':
      return false
    case 'cast':
      return isFloat(x.operand.dtype) ? mayBeNaN(x.operand) : false
    case 'select':
      return mayBeNaN(x.then) || mayBeNaN(x.otherwise)
    case 'unary':
      return x.op === 'sqrt' || mayBeNaN(x.operand)
    default:
      return !isInteger(x.dtype)
  }
}

const loadCode = (x: Extract<Scalar, { kind: 'load' }>, context: Context): Value => {
  const memory = context.memories.get(x.buffer)
  if (memory === undefined) throw new Error(`kernel ${context.kernel.name} has no buffer ${x.buffer} here`)
  const at = flatIndex(memory.decl, x.indices)
  const { vector } = context
  const step = vector === undefined ? undefined : laneStep(at, vector.axis, vector.lanes, context)
  const value =
    vector === undefined || step === undefined || (step.kind === 'uniform' && memory.place.kind !== 'owned')
      ? loadOne(memory, at, context)
      : loadLanes(memory, at, step, vector.axis, vector.lanes, context)
  if (x.guard === undefined || x.fill === undefined) return value
  // Reading outside is harmless in WGSL (some element of the same buffer arrives), so a guard is a select.
  const [guard, fill] = [x.guard, x.fill].map(s => scalarCode(s, context))
  if (guard === undefined || fill === undefined) throw new Error('unreachable')
  const lanes = [value, guard, fill].reduce<Lanes>((most, v) => (v.lanes > most ? v.lanes : most), 1)
  const [v, g, f] = [value, guard, fill].map(y => splat(y, lanes).code)
  return {
    ...value,
    code: `select(${f}, ${v}, ${g})`,
    lanes,
    atom: false,
    depth: 1 + Math.max(value.depth, guard.depth, fill.depth),
  }
}
