/** @file Checks a run's inputs against the manifest and solves the symbolic dims. */
import {
  type DType,
  type Entry,
  type Expr,
  type HostArray,
  type Manifest,
  type Port,
  QuernError,
  arrayOf,
  bytesOf,
} from '@quern/artifact'
import { evaluate } from './expr.ts'
import { own } from './own.ts'

export interface BoundInput<T> {
  readonly port: Port
  /** Host data, or whatever the device calls a tensor of its own. */
  readonly value: HostArray | T
}
export interface Bound<T> {
  readonly inputs: readonly BoundInput<T>[]
  readonly symbols: Record<string, number>
}

/** Reads a device tensor's shape; undefined where a value is none of this device. */
export type DeviceShape<T> = (
  value: unknown,
) => { readonly tensor: T; readonly dtype: DType; readonly shape: readonly number[] } | undefined

const spell = (port: Port): string =>
  `${port.dtype}[${port.shape.map(d => (typeof d === 'object' ? '…' : d)).join(', ')}]`

export const bindInputs = <T>(
  manifest: Manifest,
  entry: Entry,
  given: Readonly<Record<string, unknown>>,
  deviceShape: DeviceShape<T>,
): Bound<T> => {
  if (typeof given !== 'object' || given === null || ArrayBuffer.isView(given) || Array.isArray(given))
    throw new QuernError(
      'input/not-an-object',
      `run() takes an object of inputs by name, { ${entry.inputs.map(p => `${p.name}: …`).join(', ')} }, not ${kindOf(given)}`,
      {},
    )
  const names = entry.inputs.map(p => p.name)
  for (const name of Object.keys(given))
    if (!names.includes(name))
      throw new QuernError(
        'input/unknown-name',
        `there is no input named ${name}; the inputs are ${names.join(', ')}`,
        { name, inputs: names },
      )
  // A dim may have the name of something that every object inherits.
  const symbols: Record<string, number> = Object.create(null)
  const read = entry.inputs.map(port => ({ port, ...readInput(port, own(given, port.name), deviceShape) }))
  // Explicit shapes bind dims first, so that a bare array may rest on them.
  for (const { port, shape } of read) if (shape !== undefined) bindShape(manifest, port, shape, symbols)
  for (const { port, shape, length } of read) if (shape === undefined) bindLength(manifest, port, length, symbols)
  for (const { port, shape, length } of read) {
    const expected = port.shape.map(d => evaluate(d, symbols))
    const size = expected.reduce((p, d) => p * d, 1)
    if (length !== size || (shape !== undefined && shape.some((d, i) => d !== expected[i])))
      throw new QuernError(
        'input/size',
        `the input ${port.name} is ${spell(port)}: with ${describe(symbols)}it holds ${size} elements of shape [${expected.join(', ')}], and ${shape === undefined ? `${length} were given` : `[${shape.join(', ')}] (${length} elements) was given`}`,
        { input: port.name, expected, found: shape ?? length },
      )
  }
  return { inputs: read, symbols }
}

const describe = (symbols: Readonly<Record<string, number>>): string => {
  const list = Object.entries(symbols).map(([n, v]) => `${n} = ${v}`)
  return list.length === 0 ? '' : `${list.join(', ')} `
}

const readInput = <T>(
  port: Port,
  value: unknown,
  deviceShape: DeviceShape<T>,
): { value: HostArray | T; shape: readonly number[] | undefined; length: number } => {
  if (value === undefined || value === null)
    throw new QuernError('input/missing', `the input ${port.name} (${spell(port)}) is missing`, { input: port.name })
  const onDevice = deviceShape(value)
  if (onDevice !== undefined) {
    if (onDevice.dtype !== port.dtype) throw wrongDType(port, onDevice.dtype)
    return { value: onDevice.tensor, shape: onDevice.shape, length: onDevice.shape.reduce((p, d) => p * d, 1) }
  }
  if (ArrayBuffer.isView(value)) {
    const data = hostArray(port, value)
    return { value: data, shape: undefined, length: data.length }
  }
  const { data, shape, device } = value as { data?: unknown; shape?: unknown; device?: unknown }
  if (typeof device === 'string')
    throw new QuernError(
      'input/other-device',
      `the tensor given for ${port.name} lives on another device (${device}): read() it, and pass what that gives`,
      { input: port.name, device },
    )
  if (!ArrayBuffer.isView(data) || !Array.isArray(shape) || !shape.every(d => Number.isSafeInteger(d) && d >= 0))
    throw new QuernError(
      'input/not-a-tensor',
      `the input ${port.name} takes a ${arrayOf[port.dtype].name}, or { data, shape } with such an array, not ${kindOf(value)}`,
      { input: port.name },
    )
  const array = hostArray(port, data)
  const size = shape.reduce((p: number, d: number) => p * d, 1)
  if (size !== array.length)
    throw new QuernError(
      'input/size',
      `the input ${port.name} was given a shape and data that do not fit: shape [${shape.join(', ')}] needs ${size} numbers, and data has ${array.length}`,
      { input: port.name, expected: shape, found: array.length },
    )
  return { value: array, shape, length: array.length }
}

const wrongDType = (port: Port, found: string): QuernError =>
  new QuernError(
    'input/dtype',
    `the input ${port.name} is ${port.dtype} and takes a ${arrayOf[port.dtype].name}, not ${found}`,
    { input: port.name, expected: port.dtype, found },
  )

/** What was given instead, in words. */
const kindOf = (value: unknown): string => {
  if (typeof value !== 'object' || value === null) return value === null ? 'null' : `a ${typeof value}`
  if (Array.isArray(value)) return `a plain array of ${value.length}`
  const name = Object.prototype.toString.call(value).slice(8, -1)
  const keys = Object.keys(value).slice(0, 4).join(', ')
  return name === 'Object' ? (keys === '' ? 'an empty object' : `an object with ${keys}`) : `a ${name}`
}

/** By name, not instanceof: arrays cross realms (frames, workers, test environments). */
const nameOf = (view: ArrayBufferView): string => Object.prototype.toString.call(view).slice(8, -1)

const holds = (dtype: DType, name: string): boolean =>
  name === arrayOf[dtype].name ||
  (name === 'Uint8ClampedArray' && arrayOf[dtype] === Uint8Array) ||
  (name === 'Float16Array' && dtype === 'f16')

const hostArray = (port: Port, view: ArrayBufferView): HostArray => {
  const Wanted = arrayOf[port.dtype]
  const name = nameOf(view)
  if (!holds(port.dtype, name)) throw wrongDType(port, name)
  try {
    return new Wanted(view.buffer as ArrayBuffer, view.byteOffset, view.byteLength / bytesOf[port.dtype])
  } catch (cause) {
    // Of an array that has the right kind, nothing else is refused.
    throw detached(`the input ${port.name}`, { input: port.name }, cause)
  }
}

const detached = (what: string, details: Readonly<Record<string, unknown>>, cause?: unknown): QuernError =>
  new QuernError(
    'input/detached',
    `the array given for ${what} has lost its buffer, which was transferred, to a worker most likely: transfer a copy, or run first`,
    details,
    cause,
  )

const bindShape = (manifest: Manifest, port: Port, shape: readonly number[], symbols: Record<string, number>): void => {
  if (shape.length !== port.shape.length)
    throw new QuernError(
      'input/rank',
      `the input ${port.name} is ${spell(port)}: it has ${port.shape.length} dims, and a shape of ${shape.length} was given`,
      { input: port.name, expected: port.shape.length, found: shape.length },
    )
  port.shape.forEach((d, i) => {
    if (typeof d === 'string') bindSymbol(manifest, port, d, shape[i] ?? 0, symbols)
  })
}

/** A bare array fixes the one dim that is still open. */
const bindLength = (manifest: Manifest, port: Port, length: number, symbols: Record<string, number>): void => {
  const open = [...new Set(port.shape.filter((d): d is string => typeof d === 'string' && symbols[d] === undefined))]
  const [symbol, second] = open
  if (symbol === undefined) return
  if (second !== undefined || port.shape.filter(d => d === symbol).length > 1)
    throw new QuernError(
      'input/shape-needed',
      `the input ${port.name} is ${spell(port)}: a bare array cannot tell ${open.join(' and ')}; pass { data, shape }`,
      { input: port.name, dims: open },
    )
  const rest = port.shape.filter(d => d !== symbol).reduce<number>((p, d: Expr) => p * evaluate(d, symbols), 1)
  if (rest === 0 || length % rest !== 0)
    throw new QuernError(
      'input/size',
      `the input ${port.name} is ${spell(port)}: its length is a multiple of ${rest}, and ${length} elements were given`,
      { input: port.name, multipleOf: rest, found: length },
    )
  bindSymbol(manifest, port, symbol, length / rest, symbols)
}

const bindSymbol = (
  manifest: Manifest,
  port: Port,
  symbol: string,
  value: number,
  symbols: Record<string, number>,
): void => {
  const before = symbols[symbol]
  if (before !== undefined && before !== value)
    throw new QuernError('dim/conflict', `the dim ${symbol} is ${before} in one input and ${value} in ${port.name}`, {
      dim: symbol,
      values: [before, value],
      input: port.name,
    })
  checkDim(manifest, symbol, value, `in the input ${port.name}`)
  symbols[symbol] = value
}

/** A dim's value within the bounds that the model was compiled for. */
export const checkDim = (manifest: Manifest, symbol: string, value: number, where: string): void => {
  const { min = 1, max = Infinity, multipleOf = 1 } = own(manifest.symbols, symbol) ?? {}
  if (!Number.isInteger(value) || value < min || value > max || value % multipleOf !== 0)
    throw new QuernError(
      'dim/out-of-bounds',
      `the dim ${symbol} is ${value} ${where}, and the model was compiled for ${min} to ${max === Infinity ? 'any number' : max}${multipleOf > 1 ? `, a multiple of ${multipleOf}` : ''}`,
      { dim: symbol, value, min, max: max === Infinity ? null : max, multipleOf },
    )
}

/** The arrays of `into`, in the order of the outputs. Sizes are checked when they are known, after the run. */
export const bindInto = (entry: Entry, into: Readonly<Record<string, unknown>>): (HostArray | undefined)[] => {
  const names = entry.outputs.map(p => p.name)
  for (const name of Object.keys(into))
    if (!names.includes(name))
      throw new QuernError('output/unknown-name', `\`into\` names ${name}, and the outputs are ${names.join(', ')}`, {
        name,
        outputs: names,
      })
  return entry.outputs.map(({ name, dtype }) => {
    const given = own(into, name)
    if (given === undefined) return undefined
    const found = ArrayBuffer.isView(given) ? nameOf(given) : typeof given
    // f16 is given out as bits: a Float16Array would take them for numbers.
    if (!ArrayBuffer.isView(given) || !holds(dtype, found) || found === 'Float16Array')
      throw new QuernError(
        'output/dtype',
        `the output ${name} is ${dtype}: \`into\` takes a ${arrayOf[dtype].name}, not ${found}`,
        { output: name, expected: dtype, found },
      )
    return given as HostArray
  })
}
