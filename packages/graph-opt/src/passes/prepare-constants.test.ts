/** Preparing splits off what is constant and large, keeps what is cheap to make, and stops at its limits with a note. */
import type { ConstantData, Fired, Graph } from '@quern/core-ir'
import { dropDead, parseGraph, printGraph, verifyGraph } from '@quern/core-ir'
import { expect, test } from 'vitest'
import type { PassContext } from './pass.ts'
import { type PrepareLimits, prepareConstants } from './prepare-constants.ts'

const split = async (text: string, limits: Partial<PrepareLimits> = {}) => {
  const pieces: Graph[] = []
  const notes: Fired[] = []
  const context: PassContext = {
    numerics: 'algebraic',
    note: fired => void notes.push(...fired),
    bytesOf: () => Promise.reject(new Error('nothing is read while graphs are split')),
    store: () => {
      throw new Error('nothing is stored')
    },
    prepare: graph => {
      verifyGraph(graph)
      pieces.push(graph)
      return graph.outputs.map(({ value }, i): ConstantData => {
        const length = value.type.shape.reduce((n, d) => n * (d.kind === 'const' ? d.value : 0), 4)
        return { kind: 'bytes', source: `prepared:${pieces.length - 1}`, offset: i * length, length, hash: '' }
      })
    },
    limits,
  }
  const graph = dropDead(await prepareConstants.run(parseGraph(text), context))
  verifyGraph(graph)
  return { graph, pieces, notes: notes.map(n => n.rule) }
}

const weight = (name: string, shape: string, bytes: number, at = 0): string =>
  `%${name} = constant(data=bytes("w", ${at}, ${bytes}, ""), shape=${shape}) : f32${shape}`

test('what a symbol decides is left to the run, though its shape is known', async () => {
  const { graph, pieces } = await split(`graph g<n: 1..>(%x: f32[n,512]) {
    ${weight('w', '[512,512]', 1048576)}
    %s = dim-value(value=n, dtype=f32) : f32[]
    %r = sqrt(%s) : f32[]
    %b = broadcast(%r, shape=[512,512]) : f32[512,512]
    %ws = div(%w, %b) : f32[512,512]
    %y = matmul(%x, %ws) : f32[n,512]
    return y = %y
  }`)
  expect(pieces).toEqual([])
  expect(graph.nodes.map(n => n.op)).toEqual(['constant', 'dim-value', 'sqrt', 'broadcast', 'div', 'matmul'])
})

test('a scaled weight is prepared, what repeats it is not', async () => {
  const { graph, pieces, notes } = await split(`graph g<n: 1..>(%x: f32[n,512]) {
    ${weight('w', '[512,512]', 1048576)}
    ${weight('s', '[512]', 2048, 1048576)}
    %b = broadcast(%s, shape=[512,512]) : f32[512,512]
    %ws = mul(%w, %b) : f32[512,512]
    %y = matmul(%x, %ws) : f32[n,512]
    %sn = broadcast(%s, shape=[n,512]) : f32[n,512]
    %z = add(%y, %sn) : f32[n,512]
    return z = %z
  }`)
  expect(printGraph(graph)).toMatchInlineSnapshot(`
    "graph g<n: 1..>(%x: f32[n,512]) {
      %s = constant(data=bytes("w", 1048576, 2048, ""), shape=[512]) : f32[512]
      %ws = constant(data=bytes("prepared:0", 0, 1048576, ""), shape=[512,512]) : f32[512,512]
      %y = matmul(%x, %ws) : f32[n,512]
      %sn = broadcast(%s, shape=[n,512]) : f32[n,512]
      %z = add(%y, %sn) : f32[n,512]
      return z = %z
    }"
  `)
  expect(pieces.map(printGraph).join('\n')).toMatchInlineSnapshot(`
    "graph prepare() {
      %w = constant(data=bytes("w", 0, 1048576, ""), shape=[512,512]) : f32[512,512]
      %s = constant(data=bytes("w", 1048576, 2048, ""), shape=[512]) : f32[512]
      %b = broadcast(%s, shape=[512,512]) : f32[512,512]
      %ws = mul(%w, %b) : f32[512,512]
      return w0 = %ws
    }"
  `)
  expect(notes).toEqual(['prepare-constants'])
})

test('results that share work are one piece; a shared constant alone does not join them', async () => {
  const { pieces } = await split(`graph g(%x: f32[512,512]) {
    ${weight('w', '[512,512]', 1048576)}
    ${weight('v', '[512,512]', 1048576, 1048576)}
    %a = exp(%w) : f32[512,512]
    %b = neg(%a) : f32[512,512]
    %c = sin(%a) : f32[512,512]
    %d = mul(%w, %v) : f32[512,512]
    %1 = add(%x, %b) : f32[512,512]
    %2 = add(%1, %c) : f32[512,512]
    %3 = add(%2, %d) : f32[512,512]
    return y = %3
  }`)
  expect(pieces.map(p => p.nodes.map(n => n.op))).toEqual([
    ['constant', 'exp', 'neg', 'sin'],
    ['constant', 'constant', 'mul'],
  ])
})

test('bodies of loops and branches are prepared too', async () => {
  const { graph, pieces } = await split(`graph g(%c: bool[], %x: f32[512,512]) {
    %y = if(%c, %x, then=graph t(%x: f32[512,512]) {
      ${weight('w', '[512,512]', 1048576)}
      %a = exp(%w) : f32[512,512]
      %b = add(%x, %a) : f32[512,512]
      return y = %b
    }, else=graph e(%x: f32[512,512]) {
      return y = %x
    }) : f32[512,512]
    return y = %y
  }`)
  expect(pieces).toHaveLength(1)
  expect(printGraph(graph)).not.toContain('exp')
})

test.each<[keyof PrepareLimits, Partial<PrepareLimits>]>([
  ['prepareBytes', { prepareBytes: 1 << 20 }],
  ['prepareWork', { prepareWork: 100_000 }],
  ['prepareGrowth', { prepareGrowth: 0.5 }],
])('beyond %s it is left to run time, with a note', async (name, limits) => {
  const text = `graph g(%x: f32[512,512]) {
    ${weight('w', '[512,512]', 1048576)}
    %a = exp(%w) : f32[512,512]
    %b = add(%x, %a) : f32[512,512]
    return y = %b
  }`
  expect((await split(text)).pieces).toHaveLength(1)
  const { graph, pieces, notes } = await split(text, limits)
  expect(pieces).toEqual([])
  expect(printGraph(graph)).toContain('exp')
  expect(notes.join()).toContain(name)
})

test('what grows out of little stays in the graph', async () => {
  const { pieces } = await split(`graph g(%x: f32[512,512]) {
    ${weight('s', '[512]', 2048)}
    %b = broadcast(%s, shape=[512,512]) : f32[512,512]
    %t = transpose(%b, perm=[1,0]) : f32[512,512]
    %o = mul(%b, %t) : f32[512,512]
    %y = add(%x, %o) : f32[512,512]
    return y = %y
  }`)
  expect(pieces).toEqual([])
})
