/**
 * @file Golden text of every model that the project ships, and of two that show what dims do: regions, schedules, and a hash of each kernel's code, so that a
 * refactoring shows that it changed none and a change shows what it changed. `npm run docs` writes them anew.
 */
import { createHash } from 'node:crypto'
import { compile } from '@quern/compiler'
import { programOf } from '@quern/model'
import digits from '@quern/playground/src/models/digits.model.ts'
import sincos from '@quern/playground/src/models/sincos.model.ts'
import { describe, expect, it } from 'vitest'
import shapes from '../fixtures/shapes/shapes.model.ts'
import symbolic from '../fixtures/symbolic/symbolic.model.ts'

const models = { sincos, digits, symbolic, shapes }

/** Where a line came from is no part of what is emitted; paths differ between machines. A quotient is written with `//` too. */
const withoutOrigins = (text: string): string =>
  text.replace(/[ \t]*\/\/ (?:(?!\/\/ )[^\n])*:\d+:\d+[^\n]*/g, '').replace(/bytes\("[^"]*\/([^"/]+)"/g, 'bytes("$1"')

const hash = (text: string): string => createHash('sha256').update(text).digest('hex').slice(0, 16)

/** Kernels as legal loop nests, by name. */
const hashes = (legal: string): string =>
  withoutOrigins(legal)
    .split(/\n\n(?=kernel )/)
    .map(kernel => `${/^kernel ([^(<\s]+)/.exec(kernel)?.[1] ?? '?'} ${hash(kernel)}`)
    .join('\n')

describe.each(Object.entries(models))('%s', (name, model) => {
  it.each(['wasm', 'webgpu'] as const)('on %s', async target => {
    const stages = new Map<string, string>()
    await compile(programOf(model).graph, target, { onStage: (stage, text) => stages.set(stage, text) })
    for (const stage of ['regions', 'schedule', 'memory'])
      await expect(`${withoutOrigins(stages.get(stage) ?? '')}\n`).toMatchFileSnapshot(
        `../_expected/${name}/${target}-${stage}.txt`,
      )
    const code = stages.get(target === 'wasm' ? 'wat' : 'wgsl') ?? ''
    const whole = hash(
      code
        .split('\n')
        .filter(line => !/^\s*(;;|\/\/)/.test(line))
        .join('\n'),
    )
    await expect(
      `${hashes(stages.get('legal') ?? '')}\n${target === 'wasm' ? 'wat' : 'wgsl'} ${whole}\n`,
    ).toMatchFileSnapshot(`../_expected/${name}/${target}-hashes.txt`)
  })
})
