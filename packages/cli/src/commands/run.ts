/** @file `quern run FILE --input x=x.npy`: compiles a model file, runs it here, shows or writes the outputs. */
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import {
  type Artifact,
  type DeviceTensor,
  type Entry,
  type KernelTime,
  type Port,
  type Report,
  type Tensor,
  arrayOf,
} from '@quern/artifact'
import type { EvaluatedProgram } from '@quern/evaluate'
import { createModel } from '@quern/runtime'
import { defineCommand } from 'citty'
import { nestedValues } from '../nested-values.ts'
import { forecastsIn, profileTable } from '../profile-table.ts'
import { readNpy, writeNpy } from '../npy.ts'
import { showTensor } from '../show-tensor.ts'
import {
  evaluated,
  exportArgument,
  fileArgument,
  layoutsArgument,
  parseThreads,
  pickProgram,
  readLayouts,
  readSchedules,
  schedulesArgument,
} from './model-file.ts'
import { CommandError, reporting } from './reporting.ts'

/** The command line's parser keeps the last of several; an input may be given as often as there are inputs. */
const allInputs = (rawArgs: readonly string[]): readonly string[] => {
  const { values } = parseArgs({
    args: [...rawArgs],
    options: { input: { type: 'string', multiple: true, short: 'i' } },
    strict: false,
  })
  return (values.input ?? []).filter(v => typeof v === 'string')
}

const readInput = async (text: string, ports: readonly Port[]): Promise<[string, unknown]> => {
  const at = text.indexOf('=')
  const [name, value] = [text.slice(0, at), text.slice(at + 1)]
  const port = ports.find(p => p.name === name)
  if (at < 0 || port === undefined)
    throw new CommandError(
      `--input ${text}: write name=file.npy or name=[1, 2]; the inputs are ${ports.map(p => p.name).join(', ')}`,
    )
  if (!/^[[\d-]/.test(value) || value.endsWith('.npy')) {
    const bytes = await readFile(value).catch(() => {
      throw new CommandError(`--input ${name}: cannot read ${value}`)
    })
    const { dtype, shape, data } = readNpy(bytes, value)
    if (dtype !== port.dtype)
      throw new CommandError(`--input ${name}: ${value} holds ${dtype}, and the model takes ${port.dtype}`)
    return [name, { shape, data }]
  }
  const { shape, values } = nestedValues(value, name)
  const wide = port.dtype === 'i64' || port.dtype === 'u64'
  if (port.dtype === 'f16') throw new CommandError(`--input ${name}: f16 comes from a .npy file only`)
  if (!values.every(Number.isFinite))
    throw new CommandError(`--input ${name}: ${value} holds a number that is too large`)
  const data = wide
    ? arrayOf[port.dtype === 'i64' ? 'i64' : 'u64'].from(values.map(v => BigInt(Math.trunc(v))))
    : numbersOf(port, values)
  return [name, { shape, data }]
}

const numbersOf = ({ dtype }: Port, values: readonly number[]) => {
  const array = new arrayOf[dtype](values.length)
  values.forEach((v, i) => {
    array[i] = dtype === 'bool' ? Number(v !== 0) : v
  })
  return array
}

/** The dims that stand alone in the shapes of inputs. */
const dimsOf = ({ inputs }: Entry, given: Readonly<Record<string, unknown>>): Readonly<Record<string, number>> =>
  Object.fromEntries(
    inputs.flatMap(({ name, shape }) => {
      const input = given[name]
      const sizes: unknown = typeof input === 'object' && input !== null && 'shape' in input ? input.shape : undefined
      return shape.flatMap((dim, i): [string, number][] => {
        const size: unknown = Array.isArray(sizes) ? sizes[i] : undefined
        return typeof dim === 'string' && typeof size === 'number' ? [[dim, size]] : []
      })
    }),
  )

/** Whether a report is of this artifact. */
const isOf = ({ manifest }: Artifact, { features, threads }: Report): boolean =>
  manifest.features.join() === features.join() && (manifest.wasm?.sharedMaxPages !== undefined) === threads > 1

const isHost = (t: Tensor | DeviceTensor): t is Tensor => 'data' in t

export const run = defineCommand({
  meta: { name: 'run', description: 'compile a model file and run it in this process' },
  args: {
    file: fileArgument,
    input: {
      type: 'string',
      alias: 'i',
      description: 'an input, for each: name=file.npy or name=[[1, 2], [3, 4]]',
      valueHint: 'name=value',
    },
    entry: { type: 'string', description: 'which entry of a program', valueHint: 'name' },
    export: exportArgument,
    threads: { type: 'string', description: 'size of the team; default 1', default: '1' },
    schedules: schedulesArgument,
    layouts: layoutsArgument,
    profile: {
      type: 'boolean',
      description: 'show the time of each kernel, on average over ten more runs, beside what was predicted',
    },
    out: { type: 'string', description: 'a folder for the outputs, as .npy files', valueHint: 'folder' },
  },
  run: ({ args, rawArgs, cmd }) =>
    reporting({ args, cmd }, async () => {
      const threads = parseThreads(args.threads)
      const given = {
        ...(await readSchedules(args.schedules, args.export, ['wasm'])),
        ...(await readLayouts(args.layouts, args.export, ['wasm'])),
      }
      const compiled = async (dims?: Readonly<Record<string, number>>): Promise<EvaluatedProgram> =>
        pickProgram(
          await evaluated(args.file, {
            compile: { targets: ['wasm'], showAt: { threads, ...(dims !== undefined && { dims }) }, ...given },
            overrideTargets: true,
            ...(args.profile === true && { stages: true }),
          }),
          args.export,
        )
      const program = await compiled()
      const { name, kind, artifacts } = program
      const entries: Readonly<Record<string, Entry>> = artifacts[0]?.manifest.entries ?? {}
      const entryName = args.entry ?? Object.keys(entries)[0] ?? ''
      const entry = Object.hasOwn(entries, entryName) ? entries[entryName] : undefined
      if (entry === undefined)
        throw new CommandError(`${name} has no entry ${entryName}; it has ${Object.keys(entries).join(', ')}`)
      const inputs = Object.fromEntries(
        await Promise.all(allInputs(rawArgs).map(text => readInput(text, entry.inputs))),
      )
      const model = createModel({
        name,
        kind,
        artifacts: artifacts.map(({ manifest, files }) => ({
          manifest,
          assets: Object.fromEntries(
            Object.entries(files).map(([file, bytes]) => [file, () => Promise.resolve(bytes)]),
          ),
        })),
      })
      const { outputs, profiles, report } = await runOnce(model, kind === 'model' ? undefined : entryName, inputs, {
        threads,
        profiles: args.profile === true ? 10 : 0,
      })
      if (args.out !== undefined) await mkdir(args.out, { recursive: true })
      for (const [output, tensor] of Object.entries(outputs)) {
        if (!isHost(tensor)) continue
        console.log(`${output}: ${showTensor(tensor)}`)
        if (args.out !== undefined)
          await writeFile(join(args.out, `${output.replace(/[^\w.-]+/g, '_')}.npy`), writeNpy(tensor))
      }
      if (profiles.length === 0) return
      // What a kernel takes is predicted at sizes, which only the inputs tell.
      const dims = dimsOf(entry, inputs)
      const { stages } = Object.keys(dims).length === 0 ? program : await compiled(dims)
      const variant = artifacts.find(a => isOf(a, report))?.manifest.variant
      const cost = stages.find(s => s.stage === 'cost' && s.variant === variant)?.text ?? ''
      console.log(profileTable(profiles, forecastsIn(cost, entryName)))
    }),
})

const runOnce = async (
  model: ReturnType<typeof createModel>,
  entry: string | undefined,
  inputs: Readonly<Record<string, unknown>>,
  { threads, profiles }: { readonly threads: number; readonly profiles: number },
): Promise<{
  readonly outputs: Record<string, Tensor | DeviceTensor>
  readonly profiles: readonly (readonly KernelTime[])[]
  readonly report: Report
}> => {
  const net = await model.load({ device: 'wasm', thread: threads > 1 ? 'worker' : 'caller', threads })
  try {
    const runner = runnerOf(net, entry)
    const outputs = await runner.run(inputs)
    const taken: (readonly KernelTime[])[] = []
    for (let i = 0; i < profiles; i++) taken.push(await runner.profile(inputs))
    return { outputs, profiles: taken, report: net.report() }
  } finally {
    await net.dispose()
  }
}

interface Runner {
  run(inputs: Readonly<Record<string, unknown>>): Promise<Record<string, Tensor | DeviceTensor>>
  profile(inputs: Readonly<Record<string, unknown>>): Promise<readonly KernelTime[]>
}
const isRunner = (x: unknown): x is Runner =>
  typeof x === 'object' && x !== null && 'run' in x && typeof x.run === 'function' && 'profile' in x

/** A model runs by itself; a program has a runner for each entry. */
const runnerOf = (net: object, entry: string | undefined): Runner => {
  const found: unknown = entry === undefined ? net : (net as Readonly<Record<string, unknown>>)[entry]
  if (!isRunner(found)) throw new CommandError(`the program has no entry ${entry}`)
  return found
}
