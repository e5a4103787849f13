/** @file Control flow with runtime conditions. */
import { QuernError } from '@quern/artifact'
import { inWords } from '@quern/core-ir'
import { checkFunction, checkTensor, refuse } from '../arguments.ts'
import type { AnyTensor, LazyBody, Tensor } from '../tensor.ts'
import { applyAll, isTensor, makeTensor } from '../tensor.ts'
import { currentOrigin } from '../origin.ts'
import { constant } from '../weights/constant.ts'

type Results = Readonly<Record<string, AnyTensor>>

const named = (op: string, keys: readonly string[], results: readonly AnyTensor[]): Results =>
  Object.fromEntries(
    keys.map((key, i) => {
      const result = results[i]
      if (result === undefined) throw new Error(`${op} has no result ${key}`)
      return [key, result]
    }),
  )

/** Results meet by name, never by the order in which they were written. */
const inOrder = (op: string, names: readonly string[], results: Results): Results => {
  if (typeof results !== 'object' || results === null || isTensor(results))
    refuse(
      'model/not-tensors-by-name',
      `${op} takes a function that returns an object of tensors, like { x }, and it returned ${inWords(results)}`,
      { op },
    )
  const found = Object.keys(results)
  if (found.length !== names.length || !names.every(n => isTensor(results[n])))
    throw new QuernError(
      `${op}/same-names`,
      `${op} needs tensors of the names ${names.join(', ')} wherever it may go, and was given ${found.join(', ') || 'none'}`,
      { op, expected: names, found, origin: currentOrigin() },
    )
  return Object.fromEntries(names.map(n => [n, results[n] as AnyTensor]))
}

/** Runs one of two branches. Both return the same names, dtypes and shapes; tensors from outside may be used freely. */
export const cond = <R extends Results>(condition: Tensor<'bool'>, then: () => R, otherwise: () => R): R => {
  checkTensor('cond', 'the condition', condition)
  checkFunction('cond', 'the first branch', then)
  checkFunction('cond', 'the second branch', otherwise)
  const first = then()
  const names = Object.keys(first ?? {})
  const yes: LazyBody = { kind: 'body', name: 'then', parameters: [], results: inOrder('cond', names, first) }
  const no: LazyBody = { kind: 'body', name: 'else', parameters: [], results: inOrder('cond', names, otherwise()) }
  return named('if', names, applyAll('if', [condition], { then: yes, else: no })) as R
}

/**
 * Repeats `body` while it returns a true `while`, at most `limit` times.
 * @param carried values of the first round; the body returns those of the next, under the same names and types
 * @returns the carried values after the last round
 */
export const loop = <C extends Results>(
  carried: C,
  limit: number,
  body: (carried: C, round: Tensor<'i32'>) => C & { readonly while?: Tensor<'bool'> },
): C => {
  const origin = currentOrigin()
  checkFunction('loop', 'the body', body)
  if (!Number.isSafeInteger(limit) || limit < 0 || limit > 2 ** 31 - 1)
    refuse('loop/limit', `loop takes a whole number of rounds as its limit, not ${inWords(limit)}`)
  const names = Object.keys(inOrder('loop', Object.keys(carried ?? {}), carried))
  const parameters = names.map(name => {
    const t = carried[name]
    checkTensor('loop', `the carried value ${name}`, t)
    return { name, tensor: makeTensor({ kind: 'parameter', name, origin }, 0, t.type, t.symbols) as AnyTensor }
  })
  const round = makeTensor<'i32', readonly []>(
    { kind: 'parameter', name: 'round', origin },
    0,
    { dtype: 'i32', shape: [] },
    new Map(),
  )
  const returned = body(Object.fromEntries(parameters.map(p => [p.name, p.tensor])) as C, round)
  const { while: keepGoing, ...next } = inOrder('loop', Object.keys(returned ?? {}), returned as Results)
  const results: Results = {
    while: keepGoing ?? constant(1, 'bool'),
    ...inOrder('loop', names, next as Results),
  }
  const lazy: LazyBody = {
    kind: 'body',
    name: 'loop',
    parameters: [{ name: 'round', tensor: round }, ...parameters],
    results,
  }
  return named(
    'loop',
    names,
    applyAll('loop', [constant(limit, 'i32'), undefined, ...names.map(n => carried[n])], { body: lazy }),
  ) as C
}
