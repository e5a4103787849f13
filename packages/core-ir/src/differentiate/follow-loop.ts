/**
 * @file Gradients through `loop`: a loop that runs backwards over the trips. Forward, what a trip begins with is kept in a row
 * of a tensor with room for `limit` trips; only what the way back uses is kept.
 */
import { GraphBuilder, mergeSymbols } from '../graph/builder.ts'
import type { Graph, TensorType, Value } from '../graph/graph.ts'
import { copyNode, dropDead, inlineGraph, isGraph } from '../graph/transform.ts'
import { constant as size } from '../index/index-expr.ts'
import { arithmetic, filled, reshapeTo, scalarConstant } from '../ops/calculus.ts'
import { isFloat } from '../scalar/scalar-ops.ts'
import { isAlwaysTrue, mostTrips } from './loop-trips.ts'
import { leadingTo, reachedFrom } from './reach.ts'
import { type Follow, type Tape, type Tracked, freshName, valuesOf } from './tape.ts'

export const followLoop: Follow = (tape, node, operands, useful) => {
  const { builder, steps } = tape
  const { origin } = builder
  const [limit, condition, ...inputs] = operands
  const { body } = node.attrs
  if (!isGraph(body)) throw new TypeError('loop has no body')
  const back = tripBack(tape, body, inputs, useful)
  if (back === undefined) return copyNode(node, valuesOf(operands), builder).map(value => ({ value, active: false }))

  const most = mostTrips(limit?.value, origin)
  const count = body.outputs.length - 1
  // Where it is known how many trips there are, nothing has to count them.
  const counts = condition !== undefined || !isAlwaysTrue(body.outputs[0]?.value)
  const loops: Loops = { outer: builder, body, back, most, counts }
  const staying = valuesOf(inputs.slice(count))
  const results = builder.add(
    'loop',
    [
      limit?.value,
      condition?.value,
      ...valuesOf(inputs.slice(0, count)),
      ...(counts ? [scalarConstant(builder, 0, 'i32')] : []),
      ...back.kept.map(i => filled(builder, 0, rowsType(body, i, most))),
      ...staying,
    ],
    { body: keepingBody(loops) },
    node.results[0]?.name,
  )
  const tracked = results.slice(0, count).map((value, i): Tracked => ({ value, active: back.flowing.includes(i) }))
  // Beside the results: how many trips there were, and what they began with.
  const beside = results.slice(count)
  steps.push({
    origin,
    operands,
    results: tracked,
    pull: grads => {
      const { gt } = arithmetic(builder)
      const [ran] = counts ? beside : []
      const found = builder.add(
        'loop',
        [
          limit?.value,
          ran && gt(ran, 0),
          ...back.flowing.map(i => grads[i] ?? filled(builder, 0, inputType(body, i))),
          ...back.summed.map(i => filled(builder, 0, inputType(body, i))),
          ...beside,
          ...staying,
        ],
        { body: backwardBody(loops) },
      )
      const gradients = new Map([...back.flowing, ...back.summed].map((i, at) => [i, found[at]]))
      return [undefined, undefined, ...inputs.map((_, i) => gradients.get(i))]
    },
  })
  return tracked
}

/** Of an input of the loop, before which its body takes the trip. */
const inputType = (body: Graph, i: number): TensorType => {
  const input = body.inputs[i + 1]
  if (input === undefined) throw new RangeError(`a loop has no input ${i}`)
  return input.value.type
}
const rowsType = (body: Graph, i: number, most: number): TensorType => {
  const { dtype, shape } = inputType(body, i)
  // A kernel may look at a first row that no trip has written.
  return { dtype, shape: [size(Math.max(1, most)), ...shape] }
}

/** One trip backwards. Numbers are positions among the loop's inputs, carried ones first. */
interface TripBack {
  /** (trip, inputs…, gradients of `flowing`) → gradients of `flowing`, then of `summed`. */
  readonly graph: Graph
  /** Carried values with gradients. */
  readonly flowing: readonly number[]
  /** Staying values with gradients, which add up over the trips. */
  readonly summed: readonly number[]
  /** Carried values that the way back uses as they were when a trip began. */
  readonly kept: readonly number[]
}

/** @returns undefined where no gradient flows */
const tripBack = (
  { builder, pullBack }: Tape,
  body: Graph,
  inputs: readonly (Tracked | undefined)[],
  useful: readonly boolean[],
): TripBack | undefined => {
  const count = body.outputs.length - 1
  const isCarriedFloat = (i: number): boolean => i < count && isFloat(inputType(body, i).dtype)
  const settled = (
    from: readonly boolean[],
    next: (now: readonly boolean[]) => readonly boolean[],
  ): readonly boolean[] => {
    const now = from.map((f, i) => f || next(from)[i] === true)
    return now.every((f, i) => f === from[i]) ? from : settled(now, next)
  }
  // What one trip makes of its inputs, the next begins with: both ways until nothing is added.
  const active = settled(
    inputs.map(x => x?.active === true),
    now => {
      const reached = reachedFrom(body, [false, ...now])
      return body.outputs.slice(1).map((o, i) => isCarriedFloat(i) && reached.has(o.value))
    },
  )
  const wanted = settled(
    inputs.map((_, i) => isCarriedFloat(i) && useful[i] === true),
    now => {
      const leading = leadingTo(body, [false, ...now.slice(0, count)])
      return body.inputs.slice(1).map((x, i) => isCarriedFloat(i) && leading.has(x.value))
    },
  )
  const flowing = inputs.flatMap((_, i) => (active[i] === true && wanted[i] === true ? [i] : []))
  if (flowing.length === 0) return undefined

  const inner = new GraphBuilder('back', mergeSymbols(builder.symbols, body.symbols))
  inner.origin = builder.origin
  const taken = new Set<string>()
  const args = body.inputs.map(x => inner.input(freshName(taken, x.name), x.value.type))
  const seeds = body.outputs
    .slice(1)
    .map((o, i) => (flowing.includes(i) ? inner.input(freshName(taken, `d ${o.name}`), o.value.type) : undefined))
  const asked = inputs.map((x, i) => (i < count ? flowing.includes(i) : x?.active === true))
  const gradients = pullBack(inner, body, args, [undefined, ...seeds], [false, ...asked]).gradients.slice(1)
  const summed = gradients.flatMap((g, i) => (i >= count && g !== undefined ? [i] : []))
  const outputs = [...flowing, ...summed].map(
    i => [`d${i}`, gradients[i] ?? filled(inner, 0, inputType(body, i))] as const,
  )
  const graph = dropDead(inner.finish(Object.fromEntries(outputs)))
  const used = new Set([...graph.nodes.flatMap(n => n.operands), ...graph.outputs.map(o => o.value)])
  const kept = inputs.flatMap((_, i) => (i < count && used.has(args[i + 1]) ? [i] : []))
  return { graph, flowing, summed, kept }
}

interface Loops {
  readonly outer: GraphBuilder
  readonly body: Graph
  readonly back: TripBack
  readonly most: number
  readonly counts: boolean
}

/** A builder of a body, with a way to add inputs under names of their own. */
const bodyBuilder = ({ outer, body }: Loops, name: string) => {
  const b = new GraphBuilder(name, mergeSymbols(outer.symbols, body.symbols))
  b.origin = outer.origin
  const taken = new Set<string>()
  const input = (hint: string, type: TensorType): Value => b.input(freshName(taken, hint), type)
  return { b, input }
}
const count32: TensorType = { dtype: 'i32', shape: [] }
const named = (values: readonly Value[]): Record<string, Value> =>
  Object.fromEntries(values.map((v, i) => [`y${i}`, v]))

/** The body, writing down what it began with. */
const keepingBody = (loops: Loops): Graph => {
  const { body, back, most, counts } = loops
  const { b, input } = bodyBuilder(loops, body.name)
  const copied = (x: Graph['inputs'][number]): Value => input(x.name, x.value.type)
  const behind = body.outputs.length
  const trip = input('trip', count32)
  const carried = body.inputs.slice(1, behind).map(copied)
  if (counts) input('ran', count32)
  const rows = back.kept.map(i => ({ i, all: input(`kept${i}`, rowsType(body, i, most)) }))
  const staying = body.inputs.slice(behind).map(copied)
  const next = inlineGraph(body, [trip, ...carried, ...staying], b)
  const kept = rows.map(({ i, all }) => {
    const row = carried[i]
    if (row === undefined) throw new RangeError(`a loop carries no ${i}`)
    return b.one('append', [all, reshapeTo(b, row, [size(1), ...row.type.shape]), trip], { axis: 0 })
  })
  const ran = counts ? [arithmetic(b).add(trip, 1)] : []
  return b.finish(named([...next, ...ran, ...kept]))
}

/** A trip backwards: the one that began with the last rows not seen yet. */
const backwardBody = (loops: Loops): Graph => {
  const { body, back, most, counts } = loops
  const { b, input } = bodyBuilder(loops, 'back')
  const { add, sub, lt } = arithmetic(b)
  const count = body.outputs.length - 1
  const seen = input('trip', count32)
  const flowing = back.flowing.map(i => input(`d${i}`, inputType(body, i)))
  const sums = back.summed.map(i => input(`sum${i}`, inputType(body, i)))
  const ran = counts ? input('ran', count32) : undefined
  const rows = new Map(back.kept.map(i => [i, input(`kept${i}`, rowsType(body, i, most))]))
  const staying = body.inputs.slice(count + 1).map(x => input(x.name, x.value.type))

  const last = ran === undefined ? scalarConstant(b, most - 1, 'i32') : sub(ran, 1)
  const trip = sub(last, seen)
  const carried = body.inputs.slice(1, count + 1).map(({ value: { type } }, i) => {
    const all = rows.get(i)
    // What is not kept is not used either.
    if (all === undefined) return filled(b, 0, type)
    return reshapeTo(b, b.one('take-rows', [all, trip], { axis: 0, extent: size(1) }), type.shape)
  })
  const found = inlineGraph(back.graph, [trip, ...carried, ...staying, ...flowing], b)
  const next = found.map((g, at) => {
    const sum = sums[at - flowing.length]
    return sum === undefined ? g : add(sum, g)
  })
  const going =
    ran === undefined
      ? b.one('constant', [], { data: { kind: 'inline', values: [1] }, dtype: 'bool', shape: [] })
      : lt(add(seen, 1), ran)
  return dropDead(b.finish(named([going, ...next])))
}
