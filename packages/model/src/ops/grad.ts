/** @file Gradients of functions: `grad(loss)(weights, x)`. */
import { type DType, QuernError } from '@quern/artifact'
import { type AttrValue, type Span, inWords, isFloat, printTensorType } from '@quern/core-ir'
import { checkFunction, checkOptions, checkTensor } from '../arguments.ts'
import { unused } from '../names.ts'
import { currentOrigin } from '../origin.ts'
import {
  type AnyTensor,
  type LazyBody,
  type Tensor,
  apply,
  applyAll,
  isTensor,
  makeTensor,
  nameOf,
  noteOf,
} from '../tensor.ts'
import type { AnyShape } from '../shape-types.ts'

type Float = 'f32' | 'f16' | 'f64'

/** A tensor, or tensors in arrays and records to any depth, such as the weights of a network. */
export type Tensors = AnyTensor | readonly Tensors[] | { readonly [name: string]: Tensors }

/** Positions of the arguments whose gradients are wanted. */
export type Wrt = number | readonly number[]
/** Gradients have the form, dtypes and shapes of the arguments; of several arguments they come as a list. */
export type GradientsOf<A extends readonly Tensors[], W extends Wrt> = W extends number
  ? A[W]
  : { readonly [K in keyof W]: W[K] extends number ? A[W[K]] : never }

export interface GradOptions<W extends Wrt> {
  /** Position of the argument whose gradient is wanted, or of several. Default: the first. */
  readonly wrt?: W
}

/** What a differentiated function returns: the value, or the value and what else it found on the way. */
export type Differentiated = Tensor<Float> | { readonly value: Tensor<Float>; readonly aux: Tensors }
export type ValueAndGrad<R extends Differentiated, G> = R extends { readonly value: infer V; readonly aux: infer X }
  ? { readonly value: V; readonly aux: X; readonly grad: G }
  : { readonly value: R; readonly grad: G }

/**
 * The gradient of a function from tensors to a scalar: `jax.grad`. Tensors that the function takes from outside count as
 * constant; so does what is inside {@link stopGradient}.
 * @throws grad/value-is-scalar, grad/value-is-float for what cannot be differentiated, grad/wrt-is-float for what has no gradient
 */
export const grad = <A extends readonly Tensors[], const W extends Wrt = 0>(
  f: (...args: A) => Differentiated,
  options: GradOptions<W> = {},
): ((...args: A) => GradientsOf<A, W>) => {
  checkAsked('grad', f, options)
  return (...args) => differentiate('grad', f, options, args).grad
}

/** The value of a function and its gradient, for the price of one: `jax.value_and_grad`. See {@link grad}. */
export const valueAndGrad = <A extends readonly Tensors[], R extends Differentiated, const W extends Wrt = 0>(
  f: (...args: A) => R,
  options: GradOptions<W> = {},
): ((...args: A) => ValueAndGrad<R, GradientsOf<A, W>>) => {
  checkAsked('valueAndGrad', f, options)
  // What is beside the value is there where the function returns it.
  return (...args) => differentiate('valueAndGrad', f, options, args) as ValueAndGrad<R, GradientsOf<A, W>>
}

const checkAsked = (called: string, f: unknown, options: unknown): void => {
  checkFunction(called, 'what is differentiated', f)
  checkOptions(called, options, ['wrt'])
}

/** The value itself, which counts as constant where gradients are taken. */
export const stopGradient = <D extends DType, S extends AnyShape>(x: Tensor<D, S>): Tensor<D, S> =>
  apply('stop-gradient', [x])

interface Leaf {
  readonly path: string
  readonly tensor: AnyTensor
}

const isRecord = (x: unknown): x is Readonly<Record<string, unknown>> =>
  typeof x === 'object' && x !== null && typeof (x as { kind?: unknown }).kind !== 'string' && !ArrayBuffer.isView(x)

/** @param role of the whole for the function that was called */
const leavesOf = (op: string, role: string, tree: unknown, path = ''): readonly Leaf[] => {
  if (isRecord(tree))
    return Object.entries(tree).flatMap(([key, part]) => leavesOf(op, role, part, path === '' ? key : `${path}.${key}`))
  checkTensor(op, path === '' ? role : `${path} of ${role}`, tree)
  return [{ path, tensor: tree }]
}

/** The same form with other tensors, taken in the order of {@link leavesOf}. */
const refilled = <T extends Tensors>(tree: T, next: () => AnyTensor): T => {
  const fill = (part: Tensors): Tensors => {
    if (isTensor(part)) return next()
    if (isList(part)) return part.map(fill)
    return Object.fromEntries(Object.entries(part).map(([key, inner]) => [key, fill(inner)]))
  }
  // The form is kept, and with it the type.
  return fill(tree) as T
}
const isList = (tree: Tensors): tree is readonly Tensors[] => Array.isArray(tree)

const taking = (tensors: readonly AnyTensor[]): (() => AnyTensor) => {
  let at = 0
  return () => {
    const tensor = tensors[at++]
    if (tensor === undefined) throw new Error('there are fewer results than tensors in the arguments')
    return tensor
  }
}

const differentiate = <A extends readonly Tensors[], W extends Wrt>(
  called: string,
  f: (...args: A) => Differentiated,
  { wrt = 0 as W }: GradOptions<W>,
  args: A,
): { value: AnyTensor; aux?: Tensors; grad: GradientsOf<A, W> } => {
  const origin = currentOrigin()
  const wanted: readonly number[] = typeof wrt === 'number' ? [wrt] : wrt
  for (const position of wanted)
    if (args[position] === undefined)
      throw new QuernError(
        'grad/wrt-in-range',
        `${called} is to give the gradient of argument ${position}, counted from 0, and the function was given ${args.length}`,
        { wrt: [...wanted], origin },
      )
  const leaves = args.flatMap((arg, position) =>
    leavesOf(called, `argument ${position}`, arg).map(leaf => ({ ...leaf, position })),
  )
  for (const { tensor, path, position } of leaves)
    if (wanted.includes(position) && !isFloat(tensor.dtype))
      throw new QuernError(
        'grad/wrt-is-float',
        `${called} gives gradients of floats, and ${path === '' ? `argument ${position}` : path} is ${printTensorType(tensor.type)}: pass it as an argument that wrt leaves out, or use it from outside`,
        { origin, operands: [noteOf(tensor, 'argument')] },
      )

  const names = new Set<string>()
  const parameters = leaves.map(({ tensor, path, position }) => {
    const name = unused(names, path === '' ? (nameOf(tensor) ?? `arg${position}`) : path)
    return {
      name,
      tensor: makeTensor({ kind: 'parameter', name, origin }, 0, tensor.type, tensor.symbols) as AnyTensor,
    }
  })
  const returned = f(...refilled(args, taking(parameters.map(p => p.tensor))))
  const { value, aux } = valueOf(called, returned, origin)
  const beside = aux === undefined ? [] : leavesOf(called, 'aux', aux)
  const results = new Set(['value'])
  const body: LazyBody = {
    kind: 'body',
    name: 'body',
    parameters,
    results: Object.fromEntries([
      ['value', value],
      ...beside.map(({ path, tensor }) => [unused(results, path === '' ? 'aux' : `aux.${path}`), tensor] as const),
    ]),
  }
  const positions = wanted.flatMap(position => leaves.flatMap((leaf, i) => (leaf.position === position ? [i] : [])))
  const attrs: Readonly<Record<string, AttrValue | LazyBody>> = { body, wrt: positions }
  const [first, ...rest] = applyAll(
    'grad',
    leaves.map(l => l.tensor),
    attrs,
  )
  if (first === undefined) throw new Error('grad has no result')
  const next = taking(rest)
  const found = aux === undefined ? {} : { aux: refilled(aux, next) }
  const gradients = wanted.map(position => refilled(args[position] as Tensors, next))
  return {
    value: first,
    ...found,
    // As the arguments are typed, so are their gradients.
    grad: (typeof wrt === 'number' ? gradients[0] : gradients) as GradientsOf<A, W>,
  }
}

const valueOf = (
  called: string,
  returned: Differentiated,
  origin: Span | undefined,
): { value: AnyTensor; aux?: Tensors } => {
  const { value, aux } = isTensor(returned) ? { value: returned, aux: undefined } : (returned ?? {})
  if (!isTensor(value))
    throw new QuernError(
      'grad/value-is-a-tensor',
      `${called} needs a function that returns a tensor, or { value, aux } with a tensor as its value, and this one returns ${inWords(returned)}`,
      { origin },
    )
  const operands = [noteOf(value, 'value')]
  if (!isFloat(value.dtype))
    throw new QuernError(
      'grad/value-is-float',
      `${called} differentiates a float, and the function returns ${printTensorType(value.type)}: cast what it is computed from, since no gradient passes integers`,
      { origin, operands },
    )
  if (value.type.shape.length > 0)
    throw new QuernError(
      'grad/value-is-scalar',
      `${called} differentiates one number, and the function returns ${printTensorType(value.type)}: take its sum or its mean`,
      { origin, operands },
    )
  return aux === undefined ? { value } : { value, aux }
}
