/** @file A lowered program to one module: every kernel a function, every plan an exported function that calls them. */
import type { Port, WasmEntry, WasmLayout } from '@quern/artifact'
import type { LoweredProgram, PlacedConstant, PlacedState, StateDecl } from '@quern/core-ir'
import { type EmittedKernel, emitKernel } from './kernel/emit-kernel.ts'
import { type EmittedPlan, emitPlan } from './plan/emit-plan.ts'
import { place } from './plan/place.ts'
import { type RuntimeFunction, runtimeFunction } from './plan/runtime.ts'
import { sharedPages } from './plan/shared-pages.ts'
import { type HelperName, helpers } from './spelling/helpers.ts'
import { Names } from './text/wat.ts'

export interface WasmOptions {
  /** Shared memory, atomics, and parallel axes split over a team. */
  readonly threads: boolean
  /** Relaxed SIMD: fused multiply-add. */
  readonly relaxed: boolean
  /** The program's states; those that no plan mentions get a place too. */
  readonly states?: readonly StateDecl[]
  /**
   * Plans can be profiled: the module imports `env.clock`, a function of one i32 that a plan calls after every step while the header
   * word `profile` is not 0, and then the members of a team meet between steps. Otherwise a step costs one load and a branch more.
   */
  readonly clock?: boolean
  /** The largest team a threaded module runs on. */
  readonly maxTeam?: number
}

export interface EmittedEntry extends WasmEntry {
  /** `Port.buffer` is an index into `buffers`. */
  readonly inputs: readonly Port[]
  readonly outputs: readonly Port[]
}

export interface EmittedWasm {
  readonly wat: string
  readonly layout: WasmLayout
  readonly entries: Readonly<Record<string, EmittedEntry>>
  /** What the weights file holds, and where. */
  readonly constants: readonly PlacedConstant[]
  readonly states: readonly PlacedState[]
  readonly weightsBytes: number
  /** Kernel names by the index that status words use. */
  readonly kernels: readonly string[]
}

export const defaultMaxTeam = 16

export const emitWasm = (program: LoweredProgram, options: WasmOptions): EmittedWasm => {
  const { threads, relaxed, clock = false } = options
  const maxTeam = threads ? (options.maxTeam ?? defaultMaxTeam) : 1
  const usedHelpers = new Set<HelperName>()
  const usedRuntime = new Set<RuntimeFunction>()
  const use = (name: HelperName): void => void usedHelpers.add(name)
  const useRuntime = (name: RuntimeFunction): void => void usedRuntime.add(name)
  const names = new Names()
  for (const reserved of [
    ...Object.keys(helpers),
    'scale_to',
    'barrier',
    'fail',
    'tick',
    'tick_team',
    'clock',
    'memory',
  ])
    names.fresh(reserved)

  const plans = program.plans.map(p => ({ plan: p, id: names.fresh(p.entry) }))
  const kernelNames = [...program.kernels.keys()]
  const kernels = new Map<string, EmittedKernel>()
  for (const [index, [name, kernel]] of [...program.kernels].entries())
    kernels.set(name, emitKernel(kernel, { threads, relaxed, id: names.fresh(name), index, use, useRuntime }))

  const placement = place(program, options.states ?? [])
  const emitted = plans.map(({ plan, id }): [string, EmittedPlan] => [
    plan.entry,
    emitPlan(program, plan, kernels, placement, { threads, maxTeam, clock, id, use, useRuntime }),
  ])

  const parts = [
    `(import "env" "memory" (memory $memory 1${threads ? ' 65536 shared' : ''}))`,
    ...(clock ? ['(import "env" "clock" (func $clock (param i32)))'] : []),
    ...[...kernels.values()].map(k => k.text),
    ...emitted.map(([, p]) => p.text),
    ...[...usedRuntime].map(name => runtimeFunction(name, threads)),
    ...[...usedHelpers].map(name => helpers[name]),
  ]
  const entries = Object.fromEntries(
    emitted.map(([name, p]) => [name, { ...p.entry, inputs: p.inputs, outputs: p.outputs }]),
  )
  return {
    wat: `(module\n${parts.map(indent).join('\n\n')}\n)\n`,
    layout: {
      symbols: Object.fromEntries(placement.symbols),
      constantsAt: placement.constantsAt,
      statesAt: placement.statesAt,
      arenaAt: placement.arenaAt,
      ...(threads ? { sharedMaxPages: sharedPages(program, placement.arenaAt, entries) } : {}),
    },
    entries,
    constants: placement.constants,
    states: placement.states,
    weightsBytes: placement.weightsBytes,
    kernels: kernelNames,
  }
}

const indent = (text: string): string =>
  text
    .split('\n')
    .map(l => `  ${l}`)
    .join('\n')
