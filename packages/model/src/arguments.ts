/**
 * @file What the functions of a model file are given, held against what they take: a newcomer's slip is answered at the line
 * where it was made, not by what it breaks later. The editor's types say the same; a build runs without them.
 */
import { type DType, QuernError, dtypes } from '@quern/artifact'
import { didYouMean, inWords, nearest } from '@quern/core-ir'
import { currentOrigin } from './origin.ts'
import { type AnyTensor, isTensor } from './tensor-value.ts'

export const refuse = (code: string, says: string, details: Readonly<Record<string, unknown>> = {}): never => {
  throw new QuernError(code, says, { ...details, origin: currentOrigin() })
}

/** A tensor, by the role that it has for the function. */
export function checkTensor(op: string, role: string, x: unknown): asserts x is AnyTensor {
  if (isTensor(x)) return
  const advice =
    typeof x === 'number'
      ? `write constant(${x})`
      : Array.isArray(x) || ArrayBuffer.isView(x)
        ? 'make it one with constant(…)'
        : typeof x === 'object' && x !== null && (x as { kind?: unknown }).kind === 'state'
          ? 'what a state holds is its .value'
          : typeof x === 'object' && x !== null && (x as { kind?: unknown }).kind === 'spec'
            ? 'tensor() declares the type of an input; zeros() and constant() make tensors'
            : x === undefined
              ? 'is the name spelled as it is declared?'
              : 'tensors are inputs, weights, constants and results of functions like this one'
  refuse('model/not-a-tensor', `${op} takes a tensor as ${role}, and was given ${inWords(x)}: ${advice}`, { op, role })
}

/** A record of options: what is misspelled would be silently ignored. */
export const checkOptions = (op: string, options: unknown, known: readonly string[]): void => {
  if (typeof options !== 'object' || options === null || Array.isArray(options) || isTensor(options))
    refuse(
      'model/not-options',
      `${op} takes its options as an object like { ${known[0] ?? 'name'}: … }, and was given ${inWords(options)}`,
      { op, known },
    )
  for (const name of Object.keys(options as object))
    if (!known.includes(name))
      refuse('model/unknown-option', `${op} has no option ${name}: ${didYouMean(name, known)}`, {
        op,
        option: name,
        known,
      })
}

export const checkFunction = (op: string, role: string, f: unknown): void => {
  if (typeof f !== 'function')
    refuse('model/not-a-function', `${op} takes a function as ${role}, and was given ${inWords(f)}`, { op, role })
}

export const checkList = (op: string, role: string, x: unknown): void => {
  if (!Array.isArray(x))
    refuse('model/not-a-list', `${op} takes a list as ${role}, like [2, 3], and was given ${inWords(x)}`, { op, role })
}

/** What the dtypes are called elsewhere. */
const otherNames: Readonly<Record<string, DType>> = {
  float: 'f32',
  float32: 'f32',
  single: 'f32',
  double: 'f64',
  float64: 'f64',
  float16: 'f16',
  half: 'f16',
  int: 'i32',
  int8: 'i8',
  int16: 'i16',
  int32: 'i32',
  int64: 'i64',
  short: 'i16',
  long: 'i64',
  uint: 'u32',
  uint8: 'u8',
  uint16: 'u16',
  uint32: 'u32',
  uint64: 'u64',
  byte: 'u8',
  boolean: 'bool',
}

export const checkDType = (op: string, dtype: unknown): void => {
  if (dtypes.some(d => d === dtype)) return
  const name = typeof dtype === 'string' ? dtype.toLowerCase().replace(/[^a-z0-9]/g, '') : ''
  const meant = Object.hasOwn(otherNames, name) ? otherNames[name] : nearest(name, dtypes)
  const advice = meant === undefined ? 'the' : `did you mean ${meant}? The`
  refuse(
    'dtype/unknown',
    `${op} takes a dtype, and ${inWords(dtype)} is none: ${advice} dtypes are ${dtypes.join(', ')}`,
    { op, dtype: typeof dtype === 'string' ? dtype : typeof dtype },
  )
}
