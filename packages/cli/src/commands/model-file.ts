/** @file What every command does first: evaluate the model file, and pick one of its programs. */
import { readFile, stat } from 'node:fs/promises'
import type { DeviceKind } from '@quern/artifact'
import {
  type CompileSettings,
  type EvaluateOptions,
  type EvaluatedProgram,
  type Evaluation,
  evaluateModelFile,
  noModel,
  progressInWords,
} from '@quern/evaluate'
import { CommandError } from './reporting.ts'

export const fileArgument = {
  type: 'positional',
  description: 'the model file: something.model.ts',
  required: true,
} as const
export const exportArgument = {
  type: 'string',
  description: 'which export, where there are several programs',
  valueHint: 'name',
} as const

export const schedulesArgument = {
  type: 'string',
  description: 'schedules in the place of those of the rules, as `inspect --stage schedule` prints them',
  valueHint: 'file',
} as const

export const layoutsArgument = {
  type: 'string',
  description: 'layouts of values in the place of those that are chosen, as `inspect --stage layouts` prints them',
  valueHint: 'file',
} as const

/** The text of a file of orders for the compiler, which are of one target: of several, none would fit. */
const readOrders = async (
  option: string,
  file: string,
  targets: readonly DeviceKind[] | undefined,
  why: string,
): Promise<string> => {
  if (targets?.length !== 1) throw new CommandError(`--${option} needs one --target: ${why}`)
  return readFile(file, 'utf8').catch(() => {
    throw new CommandError(`--${option}: cannot read ${file}`)
  })
}

/** What `--layouts` names. A target chooses for itself, and another would take its layouts for orders. */
export const readLayouts = async (
  file: string | undefined,
  exportName: string | undefined,
  targets: readonly DeviceKind[] | undefined,
): Promise<Pick<CompileSettings, 'layouts'>> => {
  if (file === undefined) return {}
  const why = 'wasm and webgpu choose layouts for kernels of their own'
  return { layouts: { [exportName ?? 'default']: await readOrders('layouts', file, targets, why) } }
}

/** What `--schedules` names. */
export const readSchedules = async (
  file: string | undefined,
  exportName: string | undefined,
  targets: readonly DeviceKind[] | undefined,
): Promise<Pick<CompileSettings, 'schedules'>> => {
  if (file === undefined) return {}
  const why = 'the loops of wasm and of webgpu have different axes'
  return { schedules: { [exportName ?? 'default']: await readOrders('schedules', file, targets, why) } }
}

const targets: readonly DeviceKind[] = ['wasm', 'webgpu']
const isTarget = (text: string): text is DeviceKind => targets.some(t => t === text)

/** `wasm,webgpu` as a list; `undefined` leaves the choice to the model file. */
export const parseTargets = (text: string | undefined): readonly DeviceKind[] | undefined =>
  text?.split(',').map(part => {
    if (!isTarget(part)) throw new CommandError(`there is no target ${part}; there are ${targets.join(' and ')}`)
    return part
  })

/** `n=64,m=8` as sizes by name. */
export const parseDims = (text: string): Readonly<Record<string, number>> =>
  Object.fromEntries(
    text.split(',').map(part => {
      const [name = '', size = ''] = part.split('=')
      if (name === '' || !/^\d+$/.test(size)) throw new CommandError(`--dims takes name=size, not ${part}`)
      return [name, Number(size)]
    }),
  )

/** Before anything is compiled: a mistake should cost nobody a compilation. */
export const parseThreads = (text: string): number => {
  const threads = Number(text)
  if (Number.isSafeInteger(threads) && threads > 0) return threads
  throw new CommandError(`--threads takes a whole number above 0, not ${text}`)
}

export const evaluated = async (file: string, options: EvaluateOptions): Promise<Evaluation> => {
  const found = await stat(file).catch(() => undefined)
  if (found === undefined) throw new CommandError(`${file}: there is no such file`)
  if (found.isDirectory()) throw new CommandError(`${file}: this is a folder; name a model file, something.model.ts`)
  const evaluation = await evaluateModelFile(file, {
    ...options,
    onProgress: progress => console.error(progressInWords(progress)),
  })
  if (evaluation.error !== undefined) throw new CommandError(evaluation.error.text)
  const none = noModel(evaluation)
  if (none !== undefined) throw new CommandError(none.text)
  for (const { text } of evaluation.unexported) console.error(text)
  for (const { name, refused } of evaluation.programs)
    for (const { target, failure } of refused) console.error(`${name} is not compiled for ${target}: ${failure.text}`)
  return evaluation
}

export const pickProgram = ({ file, programs }: Evaluation, exportName: string | undefined): EvaluatedProgram => {
  const wanted = exportName ?? (programs.some(p => p.exportName === 'default') ? 'default' : programs[0]?.exportName)
  const program = programs.find(p => p.exportName === wanted)
  if (program === undefined)
    throw new CommandError(
      `${file} exports no model ${wanted}; it exports ${programs.map(p => p.exportName).join(', ')}`,
    )
  return program
}
