import { type LayoutCosts, parseGraph, printGraph } from '@quern/core-ir'
import { describe, expect, test } from 'vitest'
import { formRegions } from '../regions/form-regions.ts'
import { chooseLayouts, parseLayouts } from './choose-layouts.ts'

const form = (term: number, crossing?: number) => ({
  term,
  line: 0,
  operand: 0,
  result: 0,
  together: 1,
  ...(crossing !== undefined && { crossing }),
})
/** Depthwise windows gain by channels last, pools lose by it; a crossing costs a nanosecond an element. */
const costs: LayoutCosts = {
  families: {
    pointwise: { planar: form(1, 1), 'channels-last': form(1, 1) },
    dense: { planar: form(1, 1), 'channels-last': form(1, 1) },
    depthwise: { planar: form(2), 'channels-last': form(1) },
    pool: { planar: form(1), 'channels-last': form(3) },
  },
  mapCrossing: 1,
  tile: 8,
  oddLine: 1,
}
const wide = `%wide = constant(data=[${Array.from({ length: 32 }, (_, i) => i).join(',')}], shape=[8,4,1,1]) : f32[8,4,1,1]
  %window = constant(data=[${Array.from({ length: 72 }, (_, i) => i).join(',')}], shape=[8,1,3,3]) : f32[8,1,3,3]
  %narrow = constant(data=[${Array.from({ length: 32 }, (_, i) => i).join(',')}], shape=[4,8,1,1]) : f32[4,8,1,1]`
const network = (middle: string, batch = 'n') =>
  formRegions(
    parseGraph(`graph net<n: 0..>(%x: f32[${batch},4,6,6]) {
  ${wide}
  %a = conv(%x, %wide) : f32[${batch},8,6,6]
  ${middle}
  %y = conv(%c, %narrow) : f32[${batch},4,6,6]
  return y = %y
}`),
    { maxBuffers: 64 },
  )
const depthwise = (batch = 'n'): string => `%b = conv(%a, %window, pads=[1,1,1,1], groups=8) : f32[${batch},8,6,6]
  %c = conv(%b, %window, pads=[1,1,1,1], groups=8) : f32[${batch},8,6,6]`
const layoutsIn = (text: string): Record<string, string> =>
  Object.fromEntries([...text.matchAll(/^%(\S+): ([^/\n]*?)(?: {3}\/\/.*)?$/gm)].map(([, name, dims]) => [name, dims]))

describe('the choice', () => {
  test.each(['n', '2'])('is channels last where that is less over all, for any batch (%s)', batch => {
    const { graph, text } = chooseLayouts(network(depthwise(batch), batch), costs)
    expect(layoutsIn(text)).toEqual({ a: 'd0, d2, d3, d1', b: 'd0, d2, d3, d1', c: 'd0, d2, d3, d1' })
    expect(printGraph(graph)).toContain('layouts=["d0, d2, d3, d1"]')
    expect(printGraph(parseGraph(printGraph(graph)))).toBe(printGraph(graph))
  })

  test('is row-major where a window loses by more than others gain, and says what either takes', () => {
    const pools = `%b = max-pool(%a, kernel=[5,5], strides=[1,1], pads=[2,2,2,2]) : f32[n,8,6,6]
  %c = conv(%b, %window, pads=[1,1,1,1], groups=8) : f32[n,8,6,6]`
    const { text } = chooseLayouts(network(pools), costs)
    expect(layoutsIn(text)).toEqual({ a: '', b: '', c: '' })
    expect(text).toMatch(/^%b: {4}\/\/ its kernel alone: 0.00720 ms, channels-last 0.0216 ms$/m)
  })

  test('goes through residuals and maps, and ends where a kernel would have to be row-major', () => {
    const residual = `%b0 = conv(%a, %window, pads=[1,1,1,1], groups=8) : f32[n,8,6,6]
  %b = add(%a, %b0) : f32[n,8,6,6]
  %c = conv(%b, %window, pads=[1,1,1,1], groups=8) : f32[n,8,6,6]`
    expect(new Set(Object.values(layoutsIn(chooseLayouts(network(residual), costs).text)))).toEqual(
      new Set(['d0, d2, d3, d1']),
    )
    const viewed = `%b0 = conv(%a, %window, pads=[1,1,1,1], groups=8) : f32[n,8,6,6]
  %flat = reshape(%b0, shape=[n,288]) : f32[n,288]
  %b1 = reshape(%flat, shape=[n,8,6,6]) : f32[n,8,6,6]
  %c = conv(%b1, %window, pads=[1,1,1,1], groups=8) : f32[n,8,6,6]`
    expect(Object.keys(layoutsIn(chooseLayouts(network(viewed), costs).text))).toEqual(['a', 'c'])
  })

  test('stays row-major for a target without data', () => {
    expect(chooseLayouts(network(depthwise()), undefined).text).toBe(
      '// row-major throughout: no kernels of this target gain by another layout\n%a: \n%b: \n%c: \n',
    )
  })
})

describe('layouts that are asked for', () => {
  const asked = (lines: string) => parseLayouts(lines).get('')
  test('take the place of the choice, whatever they are; others adapt', () => {
    const { text, graph } = chooseLayouts(
      network(depthwise()),
      costs,
      asked('// by hand\n%b: d0, d1 // 3, d2, d3, d1 % 3   // blocks'),
    )
    expect(layoutsIn(text.replace('d1 // 3', 'd1 : 3'))).toMatchObject({ b: 'd0, d1 : 3, d2, d3, d1 % 3' })
    expect(printGraph(graph)).toContain('layouts=["d0, d1 // 3, d2, d3, d1 % 3"]')
  })
  test('what the stage prints is what it reads', () => {
    const first = chooseLayouts(network(depthwise()), costs)
    const again = chooseLayouts(network(depthwise()), costs, asked(first.text))
    expect(printGraph(again.graph)).toBe(printGraph(first.graph))
  })
  test('by entry', () => {
    const read = parseLayouts('entry prefill:\n%a: d1, d0\nentry decode:\n%a:\n%b: d0')
    expect(read.get('prefill')?.get('a')).toBe('d1, d0')
    expect([...(read.get('decode') ?? [])]).toEqual([
      ['a', ''],
      ['b', 'd0'],
    ])
  })
  test.each([
    ['%nobody: d0, d1, d2, d3', 'layout/unknown-value'],
    ['%x: d0, d2, d3, d1', 'layout/not-free'],
    ['%y: d0, d2, d3, d1', 'layout/not-free'],
    ['%a: d0, d2, d3', 'layout/wrong-dims'],
    ['%a: channels last', 'layout/not-dims'],
    ['a = d0', 'layout/not-a-line'],
  ])('%s is refused as %s', (line, code) => {
    expect(() => chooseLayouts(network(depthwise()), costs, asked(line))).toThrow(expect.objectContaining({ code }))
  })
})
