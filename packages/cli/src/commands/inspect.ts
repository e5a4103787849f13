/** @file `quern inspect FILE --stage NAME`: any state of any IR on the way to code, as text. */
import { defineCommand } from 'citty'
import type { StageText } from '@quern/evaluate'
import {
  evaluated,
  exportArgument,
  fileArgument,
  layoutsArgument,
  parseDims,
  parseTargets,
  parseThreads,
  pickProgram,
  readLayouts,
  readSchedules,
  schedulesArgument,
} from './model-file.ts'
import { CommandError, reporting } from './reporting.ts'

const list = (stages: readonly StageText[]): string => {
  const names = [...new Set(stages.map(s => s.stage))]
  const width = Math.max(...names.map(n => n.length))
  return names
    .map(name => {
      const texts = stages.filter(s => s.stage === name)
      const lines = texts.reduce((sum, { text }) => sum + text.split('\n').length, 0)
      return `${name.padEnd(width)}  ${String(lines).padStart(6)} lines`
    })
    .join('\n')
}

export const inspect = defineCommand({
  meta: { name: 'inspect', description: 'show a stage of a compilation, from the graph to the code' },
  args: {
    file: fileArgument,
    stage: {
      type: 'string',
      description:
        'the stage, or several; without it, the list of those with lines. graph; after each pass: expand-grad, canonicalise, decompose, hoist-invariants, shape-arithmetic, fold-scales, fold-constants, common-subexpressions, merge-siblings, prepare-constants, dead-code, layouts, regions; then lowered, schedule, loop, legal, plan, memory, cost, sizes; wat or wgsl',
      valueHint: 'graph,loop,wat',
    },
    target: { type: 'string', description: 'wasm or webgpu', default: 'wasm' },
    variant: {
      type: 'string',
      description:
        'wasm: simd, simd-threads, simd-relaxed, simd-relaxed-threads; webgpu: plain, f16; default: the first',
      valueHint: 'name',
    },
    dims: {
      type: 'string',
      description: 'sizes at which the stages cost and memory give numbers; default: the least and the largest',
      valueHint: 'n=64,m=8',
    },
    threads: { type: 'string', description: 'size of the team that the stage cost reckons with; default 4' },
    schedules: schedulesArgument,
    layouts: layoutsArgument,
    export: exportArgument,
  },
  run: ({ args, cmd }) =>
    reporting({ args, cmd }, async () => {
      const showAt = {
        ...(args.dims !== undefined && { dims: parseDims(args.dims) }),
        ...(args.threads !== undefined && { threads: parseThreads(args.threads) }),
      }
      const targets = parseTargets(args.target) ?? []
      const program = pickProgram(
        await evaluated(args.file, {
          compile: {
            targets,
            showAt,
            ...(await readSchedules(args.schedules, args.export, targets)),
            ...(await readLayouts(args.layouts, args.export, targets)),
          },
          overrideTargets: true,
          stages: true,
        }),
        args.export,
      )
      const variant = args.variant ?? program.stages[0]?.variant
      const stages = program.stages.filter(s => s.variant === variant)
      if (stages.length === 0) {
        const variants = [...new Set(program.stages.map(s => s.variant))]
        throw new CommandError(`${args.target} has no variant ${variant}; it has ${variants.join(', ')}`)
      }
      if (args.stage === undefined) return console.log(list(stages))
      for (const wanted of args.stage.split(',')) {
        const found = stages.filter(s => s.stage === wanted)
        if (found.length === 0) throw new CommandError(`there is no stage ${wanted}; there are\n${list(stages)}`)
        for (const { text } of found) console.log(text)
      }
    }),
})
