/** @file One entry of a program as a plan: ports, steps, states; its memory is planned afterwards. */
import { type Graph, type Numerics, type Plan, type StateDecl, statePrefix } from '@quern/core-ir'
import { identifier } from '../lower/expand.ts'
import { assignHomes, copyOutputs } from './homes.ts'
import { type GraphScope, bufferPlace, lowerGraph } from './lower-graph.ts'
import { type Names, PlanBuilder, type UnscheduledKernel } from './plan-builder.ts'

export interface PlanOptions {
  readonly buffersPerKernel: number
  readonly loopOverOne?: boolean
  readonly enoughResults?: number
  readonly permits?: Numerics
}

export const buildPlan = (
  entry: string,
  graph: Graph,
  states: readonly StateDecl[],
  kernels: Map<string, UnscheduledKernel>,
  kernelNames: Names,
  options: PlanOptions,
): Plan => {
  const plan = new PlanBuilder(graph.symbols.values(), kernels, kernelNames)
  const scope: GraphScope = {
    plan,
    limits: options,
    steps: [],
    places: new Map(),
    homes: new Map(),
    prefix: '',
  }
  const stateBuffers = new Map<string, string>()
  const stateBuffer = (name: string): string => {
    const known = stateBuffers.get(name)
    if (known !== undefined) return known
    const declared = states.find(s => s.name === name)
    if (declared === undefined) throw new Error(`the program declares no state ${name}`)
    const buffer = plan.buffer(identifier(name), 'state', declared.type, { port: name })
    stateBuffers.set(name, buffer)
    return buffer
  }
  for (const { name, value } of graph.inputs)
    scope.places.set(
      value,
      bufferPlace(
        name.startsWith(statePrefix)
          ? stateBuffer(name.slice(statePrefix.length))
          : plan.buffer(identifier(name), 'input', value.type, { port: name }),
      ),
    )
  const wanted = graph.outputs.map(({ name, value }) =>
    name.startsWith(statePrefix)
      ? stateBuffer(name.slice(statePrefix.length))
      : plan.buffer(identifier(name), 'output', value.type, { port: name }),
  )
  // A state is read until the end of the run: its next value is computed elsewhere, and moved when all else is done.
  const direct = graph.outputs.map((o, i) => (o.name.startsWith(statePrefix) ? undefined : wanted[i]))
  assignHomes(graph, direct, scope.homes, plan)
  lowerGraph(graph, scope)
  copyOutputs(graph, wanted, scope)
  return {
    entry,
    symbols: [...plan.symbols.values()],
    buffers: [...plan.buffers.values()],
    steps: scope.steps,
    memory: undefined,
  }
}
