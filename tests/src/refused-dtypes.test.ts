/**
 * @file What WebGPU has no type for, 64-bit integers and f64, is refused when a model is compiled, by the dtype and the kernel,
 * for every op; but where nothing is computed and bytes only move, there is no kernel that could refuse.
 */
import { compile } from '@quern/compiler'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Case, Draw } from '../../packages/core-ir/src/ops/testing/draw.ts'
import { randomCases } from '../../packages/core-ir/src/ops/testing/random-cases.ts'
import { oneNode } from '../../packages/core-ir/src/ops/testing/support.ts'
import { runs, timeFor } from './runs.ts'

const cases = runs(3)
const wide = ['i64', 'u64', 'f64'] as const
const isWide = (dtype: string): boolean => dtype.endsWith('64')

/** Whether there is an element of such a dtype at all: what is empty needs no kernel. */
const holdsWide = ({ operands, expected }: Case): boolean =>
  [...operands, ...(Array.isArray(expected) ? expected : [expected])].some(
    t => t !== undefined && isWide(t.dtype) && t.data.length > 0,
  )

const onTruths = ['reduce-any', 'reduce-all']

describe.each(Object.entries(randomCases).filter(([op]) => !onTruths.includes(op)))('%s', (op, draw) => {
  it(
    'is refused on WebGPU with 64-bit elements',
    () =>
      fc.assert(
        fc.asyncProperty(fc.gen(), async gen => {
          const drawn = draw(new Draw(gen, { dtypes: wide }))
          fc.pre(holdsWide(drawn))
          const graph = oneNode(op, drawn.operands, drawn.attrs ?? {})
          const program = { name: 'one', entries: new Map([['main', graph]]), states: [], sources: new Map() }
          let shaders = ''
          const onStage = (stage: string, text: string): void => void (stage === 'wgsl' && (shaders += text))
          const outcome = await compile(program, 'webgpu', { onStage }).catch((error: unknown) => error)
          if (outcome instanceof Error)
            expect(outcome).toMatchObject({
              code: 'webgpu/unsupported-dtype',
              message: expect.stringMatching(/kernel \S+: .*\b(i64|u64|f64)\b/),
            })
          else expect(shaders).toBe('')
        }),
        { ...cases, maxSkipsPerRun: 1000 },
      ),
    timeFor(cases),
  )
})
