/** @file What instrumented model files call: see `@quern/evaluate`. */
import { QuernError } from '@quern/artifact'
import type { Span } from '@quern/core-ir'
import { isTensor, nameOf, noteOf } from './tensor-value.ts'

export { type Made, collectMade } from './made.ts'
export { call, callMethod } from './origin.ts'

/**
 * `if (condition(span, x))`: x, unless it is a tensor. A tensor is an object, hence true: which branch it takes would say
 * nothing of its values.
 */
export const condition = <T>(span: Span, x: T): T => {
  if (!isTensor(x)) return x
  const note = noteOf(x)
  const name = nameOf(x)
  throw new QuernError(
    'model/tensor-as-condition',
    `${name ?? 'the condition'} is a tensor (${note.type}), whose values are known when the model runs, so JavaScript cannot branch on it now: where(condition, a, b) chooses by elements, cond(condition, () => …, () => …) chooses what runs, and ${name ?? 'x'} !== undefined asks whether a tensor is there at all`,
    { origin: span, operands: [note] },
  )
}

/** What was thrown last that has no stack, and where. One per realm, like {@link call}'s spans. */
const last: { thrown?: { readonly value: unknown; readonly span: Span } } = {}

/** `throw thrown(span, x)`: x, whose place is kept where it keeps none itself. */
export const thrown = <T>(span: Span, value: T): T => {
  if (!(value instanceof Error)) last.thrown = { value, span }
  return value
}

/** Where a value was thrown that is no error. */
export const thrownAt = (value: unknown): Span | undefined =>
  last.thrown !== undefined && Object.is(last.thrown.value, value) ? last.thrown.span : undefined
