/** @file `tensor`, `state`, `model` and `program`: what a model file declares and exports. */
import {
  type DType,
  type Dim,
  type Model,
  type Program,
  QuernError,
  type Shape,
  type Spec,
  type Specs,
  type Entries,
} from '@quern/artifact'
import {
  type ByteSource,
  type ProgramGraph,
  type Span,
  type StateDecl,
  type SymbolInfo,
  inWords,
  printTensorType,
  provesEqual,
  statePrefix,
  tensorType,
} from '@quern/core-ir'
import { checkDType, checkTensor, refuse } from './arguments.ts'
import { buildGraph, collectState, type Parameter } from './build-graph.ts'
import { checkEntries, checkForward, checkInputs, checkModelOptions, checkReturned, isSpec } from './check-model.ts'
import { noteMade } from './made.ts'
import { currentOrigin, originFromStack } from './origin.ts'
import type { AnyShape } from './shape-types.ts'
import { symbolOf, toShape } from './size.ts'
import { type AnyTensor, type Tensor, checkSize, isTensor, makeTensor, nameOf, noteOf } from './tensor.ts'
import { checkFits, constantData } from './weights/constant.ts'

/** The type of an input: dtype and shape, whose dims are numbers or {@link dim}s. */
export const tensor = <const D extends DType, const S extends Shape>(dtype: D, shape: S): Spec<D, S> => {
  checkDType('tensor', dtype)
  const sizes = toShape('tensor', shape)
  for (const size of shape)
    if (typeof size !== 'number' && size.kind !== 'dim')
      refuse(
        'tensor/input-sizes',
        'the sizes of an input are numbers and dims: what follows from other sizes is not declared',
      )
  checkSize(tensorType(dtype, sizes), symbolsIn(shape))
  return { kind: 'spec', dtype, shape }
}

/** What a model's function receives and returns: tensors by name. */
export type InputTensors<I extends Specs> = {
  readonly [K in keyof I]: I[K] extends Spec<infer D, infer S> ? Tensor<D, S> : never
}
export type Returned = Readonly<Record<string, AnyTensor | StateUpdate>>
/** Specs of what a function returned: the literal shapes that the editor knows. State updates are no outputs. */
export type SpecsOf<R extends Returned> = {
  readonly [K in keyof R as R[K] extends StateUpdate ? never : K]: R[K] extends Tensor<infer D, infer S>
    ? Spec<D, S>
    : never
}

export interface ModelOptions {
  readonly name?: string
  readonly targets?: readonly ('wasm' | 'webgpu')[]
  /** What rewrites may change numerically. Default `algebraic`. */
  readonly numerics?: 'reproducible' | 'exact' | 'ignores-signed-zero' | 'reassociates' | 'algebraic'
  /** Refuses an artifact whose files are larger than this together. */
  readonly maxBytes?: number
  /** Refuses a model that needs more memory than this at every size of its dims. Default 4 GiB, the most that wasm has. */
  readonly maxMemory?: number
}

const symbolsIn = (shape: Shape): ReadonlyMap<string, SymbolInfo> =>
  new Map(shape.flatMap(d => (typeof d === 'object' ? [[d.name, symbolOf(d)]] : [])))

const inputTensor = (name: string, spec: Spec): AnyTensor =>
  makeTensor(
    { kind: 'parameter', name, origin: currentOrigin() },
    0,
    tensorType(spec.dtype, toShape(name, spec.shape)),
    symbolsIn(spec.shape),
  )

/** A persistent tensor: `value` is what it holds at the start of a run, `next(x)` in a model's result what it holds after it. */
export interface State<D extends DType = DType, S extends Shape = Shape> {
  readonly kind: 'state'
  readonly value: Tensor<D, S>
  /** To be returned by a model beside its outputs, under any key. */
  next(value: Tensor<D, AnyShape>): StateUpdate
}

/** A new value for a state; not an output. */
export interface StateUpdate {
  readonly kind: 'state-update'
  readonly declaration: StateDecl
  readonly value: AnyTensor
  readonly origin: Span | undefined
}

/** The next value of a state has its dtype and shape: it is written over the state, whose memory is its own size. */
const nextOf = (declaration: StateDecl, declared: Span | undefined, value: AnyTensor): StateUpdate => {
  const { name, type } = declaration
  const origin = currentOrigin()
  checkTensor('next', 'the next value', value)
  const agrees =
    value.dtype === type.dtype &&
    value.type.shape.length === type.shape.length &&
    value.type.shape.every((d, i) => provesEqual(d, type.shape[i] ?? -1, value.symbols))
  if (agrees) return { kind: 'state-update', declaration, value, origin }
  const found = printTensorType(value.type)
  throw new QuernError(
    'state/type-agrees',
    `the state ${name} is ${printTensorType(type)}, and its next value is ${found}: give it the same dtype and shape`,
    {
      state: name,
      origin,
      operands: [{ role: 'state', type: printTensorType(type), name, origin: declared }, noteOf(value, 'next')],
    },
  )
}

/**
 * Declares a state of static shape (a KV cache, a running mean). It lives on the device between runs.
 * @param init initial values, row-major; zeros where absent.
 */
export const state = <const D extends DType, const S extends Shape>(
  name: string,
  spec: Spec<D, S>,
  init?: ArrayLike<number>,
): State<D, S> => {
  if (typeof name !== 'string' || name === '')
    refuse('state/name', `state takes a name first, and was given ${inWords(name)}`)
  if (!isSpec(spec))
    refuse(
      'state/spec',
      `state takes the type of what it holds, like tensor('f32', [8, 64]), and was given ${inWords(spec)}`,
      { state: name },
    )
  if (spec.shape.some(d => typeof d !== 'number'))
    throw new QuernError(
      'state/static-shape',
      `the state ${name} needs numbers as its shape: a capacity is a number, the length an input`,
      { state: name, origin: currentOrigin() },
    )
  const type = tensorType(spec.dtype, toShape(`the state ${name}`, spec.shape))
  if (init !== undefined) {
    const numbers = typeof init === 'object' && init !== null && Array.from(init).every(x => typeof x === 'number')
    if (!numbers)
      refuse('state/init-fits', `the state ${name} starts from a list of numbers, and was given ${inWords(init)}`)
    const size = spec.shape.reduce<number>((p, d) => p * (typeof d === 'number' ? d : 1), 1)
    if (init.length !== size)
      throw new QuernError(
        'state/init-fits',
        `the state ${name} is ${printTensorType(type)}, which holds ${size} values, and ${init.length} were given`,
        { state: name, origin: currentOrigin() },
      )
    checkFits(init, spec.dtype)
  }
  const declaration: StateDecl = { name, type, init: init && constantData(Array.from(init), spec.dtype) }
  const origin = currentOrigin()
  return {
    kind: 'state',
    value: makeTensor<D, S>({ kind: 'state', declaration, origin }, 0, type, new Map()),
    next: value => nextOf(declaration, origin, value),
  }
}

/** One traced function of a program. */
export interface EntryDefinition<I extends Specs = Specs, O extends Specs = Specs> {
  readonly kind: 'entry'
  readonly inputs: I
  readonly parameters: readonly Parameter[]
  readonly outputs: Readonly<Record<string, AnyTensor>>
  readonly updates: readonly StateUpdate[]
  /** Phantom: the specs of the outputs. */
  readonly outputSpecs?: O
}

const isUpdate = (x: unknown): x is StateUpdate =>
  typeof x === 'object' && x !== null && (x as { kind?: unknown }).kind === 'state-update'

const definitions = Symbol.for('quern.definition')

interface Definition {
  readonly name: string
  readonly kind: 'model' | 'program'
  readonly entries: Readonly<Record<string, EntryDefinition>>
  readonly options: ModelOptions
}

const notCompiled = (): Promise<never> =>
  Promise.reject(
    new QuernError(
      'model/not-compiled',
      'this model was imported without being compiled: add quern() of @quern/vite-plugin to `plugins` (and `worker: { format: "es", plugins: () => [quern()] }` if a worker imports it), or compile it in process with `await jit(model)` from @quern/jit',
    ),
  )

const define = (definition: Definition) => {
  const made = Object.assign({ load: notCompiled }, { [definitions]: definition })
  noteMade(made)
  return made
}

/** One dim name is one declaration: its bounds are checked once, wherever it stands. */
const agreeingDims = (entries: readonly (readonly [entry: string, inputs: Specs])[]): void => {
  const declared = new Map<string, { readonly dim: Dim; readonly where: string }>()
  const says = (d: Dim): string =>
    `${d.min} to ${d.max ?? 'any'}${d.multipleOf === 1 ? '' : `, a multiple of ${d.multipleOf}`}`
  for (const [entry, inputs] of entries)
    for (const [input, { shape }] of Object.entries(inputs))
      for (const dim of shape) {
        if (typeof dim !== 'object') continue
        const where = `${input}${entry === '' ? '' : ` of ${entry}`}`
        const before = declared.get(dim.name)
        if (before === undefined) declared.set(dim.name, { dim, where })
        else if (says(before.dim) !== says(dim))
          throw new QuernError(
            'dim/declared-twice',
            `the dim ${dim.name} goes from ${says(before.dim)} in ${before.where}, and from ${says(dim)} in ${where}: declare it once and share it, or name one anew`,
            { dim: dim.name, inputs: [before.where, where], origin: currentOrigin() },
          )
      }
}

/** Asked for an input that there is not, says so at the line that asks; undefined would break something later. */
const onlyKnown = (inputs: Readonly<Record<string, AnyTensor>>): Readonly<Record<string, AnyTensor>> =>
  new Proxy(inputs, {
    get: (target, key, receiver): unknown => {
      if (typeof key === 'symbol' || key in target || key === 'then' || key === 'toJSON')
        return Reflect.get(target, key, receiver)
      const names = Object.keys(target)
      const list = names.length === 0 ? 'there are none' : `the inputs are ${names.join(', ')}`
      throw new QuernError('model/no-such-input', `there is no input ${key}; ${list}`, {
        name: key,
        inputs: names,
        // The innermost call is that of model(), lines above: the stack knows the line that asks.
        origin: originFromStack(new Error().stack) ?? currentOrigin(),
      })
    },
  })

/** Traces a function over inputs of the given specs, once. `program` takes several of these. */
export const entry = <const I extends Specs, const R extends Returned>(
  inputs: I,
  forward: (inputs: InputTensors<I>) => R,
): EntryDefinition<I, SpecsOf<R>> => {
  checkInputs(inputs)
  checkForward(forward)
  agreeingDims([['', inputs]])
  const parameters = Object.entries(inputs).map(([name, spec]) => ({ name, tensor: inputTensor(name, spec) }))
  const returned: unknown = forward(
    onlyKnown(Object.fromEntries(parameters.map(p => [p.name, p.tensor]))) as InputTensors<I>,
  )
  checkReturned(returned)
  const outputs = new Map<string, AnyTensor>()
  const updates: StateUpdate[] = []
  for (const [name, value] of Object.entries(returned)) {
    if (isTensor(value)) outputs.set(name, value)
    else if (isUpdate(value)) {
      const { name: state } = value.declaration
      const before = updates.find(u => u.declaration.name === state)
      if (before !== undefined && before.declaration === value.declaration)
        throw new QuernError(
          'state/updated-twice',
          `the state ${state} gets two next values in one run: return one of them`,
          {
            state,
            origin: value.origin,
            operands: [before, value].map(u => ({
              role: 'next',
              type: printTensorType(u.value.type),
              name: nameOf(u.value),
              origin: u.origin,
            })),
          },
        )
      updates.push(value)
    } else
      refuse(
        'model/output-is-a-tensor',
        `the output ${name} of a model is a tensor, and ${inWords(value)} was returned: return an object of tensors, like { ${name}: x }`,
        { output: name },
      )
  }
  if (outputs.size + updates.length === 0)
    throw new QuernError(
      'model/no-outputs',
      'a model returns at least one tensor: return an object of tensors, like { y }',
      { origin: currentOrigin() },
    )
  return { kind: 'entry', inputs, parameters, outputs: Object.fromEntries(outputs), updates }
}

/**
 * A model: inputs by name, and a function from tensors to tensors that is traced once.
 * @param inputs specs by name, from {@link tensor}
 * @param forward returns an object of tensors: the outputs
 * @returns what the plugin replaces by the compiled model; `jit(model)` compiles it in process
 */
export const model = <const I extends Specs, const R extends Returned>(
  inputs: I,
  forward: (inputs: InputTensors<I>) => R,
  options: ModelOptions = {},
): Model<I, SpecsOf<R>> => {
  checkModelOptions('model', options)
  const definition: Definition = {
    name: options.name ?? 'model',
    kind: 'model',
    entries: { main: entry(inputs, forward) },
    options,
  }
  return define(definition)
}

type EntriesOf<E extends Readonly<Record<string, EntryDefinition>>> = {
  readonly [K in keyof E]: E[K] extends EntryDefinition<infer I, infer O>
    ? { readonly inputs: I; readonly outputs: O }
    : never
}

/** Several entries that share weights, memory and states: `net.prefill.run()`, `net.decode.run()`. */
export const program = <const E extends Readonly<Record<string, EntryDefinition>>>(
  entries: E,
  options: ModelOptions = {},
): Program<EntriesOf<E>> => {
  checkEntries(entries)
  checkModelOptions('program', options)
  agreeingDims(Object.entries(entries).map(([name, e]) => [name, e.inputs] as const))
  const definition: Definition = { name: options.name ?? 'program', kind: 'program', entries, options }
  return define(definition)
}

const definitionOf = (x: unknown): Definition | undefined =>
  typeof x === 'object' && x !== null && definitions in x
    ? (x as { readonly [definitions]: Definition })[definitions]
    : undefined

export const isModel = (x: unknown): x is Model<Specs, Specs> | Program<Entries> => definitionOf(x) !== undefined

/** The graph of a model or program; what `compile` takes. */
export const programOf = (
  x: Model<never, never> | Program<never> | object,
): { readonly graph: ProgramGraph; readonly kind: 'model' | 'program'; readonly options: ModelOptions } => {
  const definition = definitionOf(x)
  if (definition === undefined)
    throw new QuernError('model/not-a-model', 'expected what model() or program() of @quern/model returned', {})
  const collected = { sources: new Map<string, ByteSource>(), states: new Map<string, StateDecl>() }
  const graphs = new Map(
    Object.entries(definition.entries).map(([name, e]) => {
      const outputs = {
        ...e.outputs,
        ...Object.fromEntries(e.updates.map(u => [`${statePrefix}${u.declaration.name}`, u.value])),
      }
      for (const u of e.updates) collectState(collected, u.declaration, u.origin)
      return [name, buildGraph(name, e.parameters, outputs, collected)]
    }),
  )
  return {
    graph: {
      name: definition.name,
      entries: graphs,
      states: [...collected.states.values()],
      sources: collected.sources,
    },
    kind: definition.kind,
    options: definition.options,
  }
}
