/**
 * @file Runs a kernel: the definition of the loop language. Statements are compiled to closures once. Every invocation (a
 * thread of a workgroup, a member of a team) runs the whole kernel; `workgroup`, `thread` and `parallel` loops give each its
 * share. Where the kernel has barriers, invocations are coroutines resumed in random order.
 */
import { type HostArray, QuernError, arrayOf, bytesOf } from '@quern/artifact'
import { bytesOfArray } from '../host-tensor.ts'
import { evaluateIndex, rowMajorStrides } from '../index/index-expr.ts'
import type { BufferDecl, Kernel, Param } from './kernel.ts'
import { compileBody, type Compiled } from './compile.ts'
import { type Extents, Memory, paddedSpan, spanOf } from './memory.ts'
import { type Random, seeded, shuffled } from './random.ts'
import { LaneShadow } from './lanes.ts'
import { Machine } from './machine.ts'
import { Shadow } from './shadow.ts'
import { containsStmt, visitStmtPaths, visitStmts } from './walk.ts'

export interface KernelArguments {
  /** By the params' names. One array may stand for two params: the kernel then works in place. */
  readonly buffers: Readonly<Record<string, HostArray>>
  readonly symbols: Readonly<Record<string, number>>
}
export interface InterpretOptions {
  /** Of the order in which threads, team members and workgroups run. */
  readonly seed?: number
  readonly checkRaces?: boolean
  readonly teamSize?: number
}
/** The first `fail` that ran. */
export interface KernelStatus {
  readonly reason: 'ok' | 'index-out-of-range' | 'loop-limit'
  readonly index: number
}

export const interpretKernel = (
  kernel: Kernel,
  { buffers, symbols }: KernelArguments,
  { seed = 0, checkRaces = true, teamSize = 3 }: InterpretOptions = {},
): { status: KernelStatus } => {
  const machine = new Machine(kernel)
  const env = new Map(Object.entries(symbols))
  for (const { name } of kernel.symbols)
    if (!env.has(name))
      throw new QuernError('loop/missing-symbol', `${kernel.name} needs the symbol ${name}`, { symbol: name })
  const placed = placeParams(kernel, buffers, env)
  const team = containsStmt(kernel.body, s => s.kind === 'for' && s.tag === 'parallel')
  const gpu = containsStmt(kernel.body, s => s.kind === 'for' && /^(workgroup|thread)\./.test(s.tag))
  const racing = checkRaces && (team || gpu)
  const lanes = checkRaces ? sharedByLanes(kernel) : new Set<string>()
  watchParams(kernel, placed, machine, racing, lanes)
  const program = compileBody(
    kernel,
    machine,
    env,
    new Map([...placed].map(([name, p]) => [name, p.memory])),
    racing,
    lanes,
  )
  const random = seeded(seed)
  if (gpu) runGrid(program, machine, random)
  else runGroup(program, machine, random, team ? teamSize : 1)
  for (const { original, padded } of placed.values())
    if (padded !== original) bytesOfArray(original).set(bytesOfArray(padded).subarray(0, original.byteLength))
  return { status: machine.status }
}

interface Placed {
  readonly memory: Memory
  readonly original: HostArray
  /** Where the elements are while the kernel runs: the caller's array, or a longer copy with padding. */
  readonly padded: HostArray
}

const extentsOf = (decl: BufferDecl, env: ReadonlyMap<string, number>): Extents => ({
  shape: decl.shape.map(d => evaluateIndex(d, env)),
  strides: (decl.strides ?? rowMajorStrides(decl.shape)).map(s => evaluateIndex(s, env)),
  offset: decl.offset === undefined ? 0 : evaluateIndex(decl.offset, env),
})

const placeParams = (
  kernel: Kernel,
  buffers: Readonly<Record<string, HostArray>>,
  env: ReadonlyMap<string, number>,
): Map<string, Placed> => {
  const params = kernel.params.map(param => {
    const original = Object.hasOwn(buffers, param.name) ? buffers[param.name] : undefined
    const extents = extentsOf(param, env)
    const span = spanOf(extents)
    if (original === undefined || !(original instanceof arrayOf[param.dtype]) || original.length < span)
      throw new QuernError(
        'loop/wrong-buffer',
        `${kernel.name} needs ${span} elements of ${param.dtype} for ${param.name}, and was given ${original === undefined ? 'nothing' : `${original.length} in ${original.constructor.name}`}`,
        { kernel: kernel.name, buffer: param.name },
      )
    return { param, original, extents, limit: paddedSpan(span, param.dtype) }
  })
  // Params that share an array share its padded copy too.
  const copies = new Map<HostArray, HostArray>()
  for (const { param, original } of params) {
    const limit = Math.max(...params.filter(p => p.original === original).map(p => p.limit))
    copies.set(original, original.length >= limit ? original : padded(param, original, limit))
  }
  return new Map(
    params.map(({ param, original, extents }) => {
      const data = copies.get(original) ?? original
      return [param.name, { original, padded: data, memory: new Memory(param.name, param.dtype, extents, data) }]
    }),
  )
}

/** The padding may be read, but its values must not matter: they are NaN, or all ones. */
const padded = (param: Param, original: HostArray, length: number): HostArray => {
  const longer: HostArray = new arrayOf[param.dtype](length)
  bytesOfArray(longer).fill(0xff)
  bytesOfArray(longer).set(bytesOfArray(original))
  return longer
}

/** Buffers from outside a vector axis that its body writes. */
const sharedByLanes = (kernel: Kernel): ReadonlySet<string> => {
  const written = new Set<string>()
  const own = new Set<string>()
  visitStmtPaths(kernel.body, (s, _, around) => {
    if (!around.some(o => o.kind === 'for' && o.tag === 'vector')) return
    if (s.kind === 'store' || s.kind === 'accumulate') written.add(s.buffer)
    if (s.kind === 'alloc') own.add(s.buffer.name)
  })
  return new Set([...written].filter(name => !own.has(name)))
}

/** Gives shadow memory to the params that are written, and to those that share bytes with them. */
const watchParams = (
  kernel: Kernel,
  placed: ReadonlyMap<string, Placed>,
  machine: Machine,
  racing: boolean,
  lanes: ReadonlySet<string>,
): void => {
  if (!racing && lanes.size === 0) return
  const written = new Set<string>()
  visitStmts(kernel.body, s => {
    if (s.kind === 'store' || s.kind === 'accumulate') written.add(s.buffer)
  })
  const areas = [...placed.values()].map(({ memory, padded: data }) => ({
    memory,
    data,
    buffer: data.buffer,
    from: data.byteOffset,
    to: data.byteOffset + data.byteLength,
  }))
  const done = new Set<Memory>()
  for (const area of areas) {
    if (done.has(area.memory)) continue
    let group = [area]
    for (;;) {
      const touching = areas.filter(a => group.some(g => g.buffer === a.buffer && g.from < a.to && a.from < g.to))
      if (touching.length <= group.length) break
      group = touching
    }
    for (const { memory } of group) done.add(memory)
    const from = Math.min(...group.map(g => g.from))
    const to = Math.max(...group.map(g => g.to))
    const each = Math.min(...group.map(g => bytesOf[g.memory.dtype]))
    const cells = (to - from) / each
    const among = racing && group.some(g => written.has(g.memory.name)) ? new Shadow(cells, machine) : undefined
    const vector = group.some(g => lanes.has(g.memory.name)) ? new LaneShadow(cells, machine) : undefined
    for (const { memory, from: start } of group) {
      const [first, width] = [(start - from) / each, bytesOf[memory.dtype] / each]
      memory.log = among?.logOf(memory.name, first, width)
      memory.lanes = vector?.logOf(memory.name, first, width)
    }
  }
}

const runGrid = (program: Compiled, machine: Machine, random: Random): void => {
  const { grid, threads } = program
  const count = (extents: readonly number[]): number => extents.reduce((a, b) => a * b, 1)
  for (const workgroup of shuffled(count(grid), random)) {
    machine.enterWorkgroup(workgroup, grid)
    runGroup(program, machine, random, count(threads))
  }
}

/** Runs every invocation of one workgroup or team, from barrier to barrier, in random order. */
const runGroup = (program: Compiled, machine: Machine, random: Random, size: number): void => {
  const invocations = Array.from({ length: size }, (_, i) => machine.invocation(i, size, program))
  machine.nextEpoch()
  if (program.steps === undefined) {
    for (const i of shuffled(size, random)) {
      machine.resume(invocations[i])
      program.run()
    }
    machine.nextEpoch()
    return
  }
  const { steps } = program
  let waiting = invocations.map(invocation => {
    machine.resume(invocation)
    return { invocation, steps: steps() }
  })
  while (waiting.length > 0) {
    const met = new Map<number, typeof waiting>()
    for (const i of shuffled(waiting.length, random)) {
      const one = waiting[i]
      if (one === undefined) continue
      machine.resume(one.invocation)
      const { done, value } = one.steps.next()
      const at = done === true ? -1 : value
      met.set(at, [...(met.get(at) ?? []), one])
    }
    if (met.size > 1) machine.diverged([...met.keys()])
    waiting = met.has(-1) ? [] : waiting
    machine.nextEpoch()
  }
}
