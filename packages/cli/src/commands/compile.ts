/** @file `quern compile FILE`: writes the artifacts of a model file. */
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { defineCommand } from 'citty'
import {
  evaluated,
  exportArgument,
  fileArgument,
  layoutsArgument,
  parseTargets,
  pickProgram,
  readLayouts,
  readSchedules,
  schedulesArgument,
} from './model-file.ts'
import { reporting } from './reporting.ts'

/** Names of programs are the user's: what goes into a path is a part of them that is safe everywhere. */
const safe = (name: string): string => name.replace(/[^\w.-]+/g, '_').replace(/^\.+/, '') || '_'

export const compile = defineCommand({
  meta: { name: 'compile', description: 'compile a model file and write its artifacts' },
  args: {
    file: fileArgument,
    target: {
      type: 'string',
      description: 'wasm, webgpu or both; default: what the file asks for',
      valueHint: 'wasm,webgpu',
    },
    schedules: schedulesArgument,
    layouts: layoutsArgument,
    export: {
      ...exportArgument,
      description: 'write this export only; `--schedules` and `--layouts` are for it (or for default)',
    },
    out: { type: 'string', description: 'the folder to write to', default: 'quern-out', valueHint: 'folder' },
  },
  run: ({ args, cmd }) =>
    reporting({ args, cmd }, async () => {
      const targets = parseTargets(args.target)
      const evaluation = await evaluated(
        args.file,
        targets === undefined && args.schedules === undefined && args.layouts === undefined
          ? {}
          : {
              compile: {
                ...(targets && { targets }),
                ...(await readSchedules(args.schedules, args.export, targets)),
                ...(await readLayouts(args.layouts, args.export, targets)),
              },
              overrideTargets: targets !== undefined,
            },
      )
      const { ms } = evaluation
      const programs = args.export === undefined ? evaluation.programs : [pickProgram(evaluation, args.export)]
      const rows: [path: string, bytes: number][] = []
      for (const { name, artifacts } of programs)
        for (const { manifest, files } of artifacts) {
          const folder = join(args.out, safe(name), `${manifest.target}-${safe(manifest.variant)}`)
          await mkdir(folder, { recursive: true })
          const all = { 'manifest.json': Buffer.from(`${JSON.stringify(manifest, undefined, 2)}\n`), ...files }
          for (const [file, bytes] of Object.entries(all)) {
            const path = join(folder, safe(file))
            await writeFile(path, bytes)
            rows.push([path, bytes.length])
          }
        }
      const width = Math.max(...rows.map(([path]) => path.length))
      for (const [path, bytes] of rows) console.log(`${path.padEnd(width)}  ${String(bytes).padStart(10)} bytes`)
      console.log(`${programs.map(p => p.name).join(', ')} in ${Math.round(ms.bundle + ms.evaluate)} ms`)
    }),
})
