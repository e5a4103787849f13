import { type Model, type Specs, isQuernError } from '@quern/artifact'
import { expect, expectTypeOf, test } from 'vitest'
import * as q from './index.ts'

const coded = (code: string): unknown => expect.objectContaining({ code })

test('the next value of a state has its dtype and shape', () => {
  const s = q.state('s', q.tensor('f32', [2]))
  const n = q.dim('n', { max: 2 })
  const update = (dtype: 'f32' | 'i32', shape: readonly (number | ReturnType<typeof q.dim>)[]) => () =>
    q.model({ a: q.tensor(dtype, shape) }, ({ a }) => ({ y: s.value, p: s.next(a as q.Tensor<'f32'>) }))
  expect(update('f32', [2])).not.toThrow()
  for (const shape of [[64], [1], [2, 1], [], [n]]) expect(update('f32', shape)).toThrow(coded('state/type-agrees'))
  expect(update('i32', [2])).toThrow(coded('state/type-agrees'))
})

test('the error of a wrong next value names the line and both types', () => {
  const s = q.state('cache', q.tensor('f32', [2]))
  try {
    q.model({ a: q.tensor('f32', [64]) }, ({ a }) => ({ p: s.next(a) }))
    expect.unreachable()
  } catch (error) {
    if (!isQuernError(error)) throw error
    expect(error.message).toContain('cache is f32[2], and its next value is f32[64]')
    expect(error.details['origin']).toMatchObject({ file: expect.stringContaining('state.test.ts'), line: 20 })
    expect(error.details['operands']).toMatchObject([
      { role: 'state', type: 'f32[2]', origin: { line: 18 } },
      { role: 'next', type: 'f32[64]', name: 'a' },
    ])
  }
})

test('one name is one declaration, also where states are only updated', () => {
  const declare = () => q.state('s', q.tensor('f32', [2]))
  const [s, t] = [declare(), declare()]
  const x = { x: q.tensor('f32', [2]) }
  const built = (f: (inputs: { x: q.Tensor<'f32', readonly [2]> }) => q.Returned) => () => q.programOf(q.model(x, f))
  expect(built(({ x }) => ({ p: s.next(q.add(x, s.value)) }))).not.toThrow()
  expect(built(({ x }) => ({ p: s.next(q.add(x, t.value)) }))).toThrow(coded('state/declared-twice'))
  expect(built(({ x }) => ({ p: s.next(x), q: t.next(x) }))).toThrow(coded('state/declared-twice'))
  const entries = { a: q.entry(x, ({ x }) => ({ p: s.next(x) })), b: q.entry(x, ({ x }) => ({ p: t.next(x) })) }
  expect(() => q.programOf(q.program(entries))).toThrow(coded('state/declared-twice'))
  const shared = { a: q.entry(x, ({ x }) => ({ p: s.next(x) })), b: q.entry(x, ({ x }) => ({ p: s.next(q.neg(x)) })) }
  expect(q.programOf(q.program(shared)).graph.states.map(d => d.name)).toEqual(['s'])
})

test('a state has one next value in a run', () => {
  const s = q.state('s', q.tensor('f32', [2]))
  expect(() => q.model({ x: q.tensor('f32', [2]) }, ({ x }) => ({ p: s.next(x), q: s.next(q.neg(x)) }))).toThrow(
    coded('state/updated-twice'),
  )
})

test('states are typed by their declaration', () => {
  const s = q.state('s', q.tensor('f32', [2, 3]), [1, 2, 3, 4, 5, 6])
  expectTypeOf(s.value).toEqualTypeOf<q.Tensor<'f32', readonly [2, 3]>>()
  expect(s.value.shape).toEqual([2, 3])
  expect(() => q.state('t', q.tensor('f32', [q.dim('n')]))).toThrow(coded('state/static-shape'))
  // An update is no output.
  const built = q.model({ x: q.tensor('f32', [2, 3]) }, ({ x }) => ({ y: x, p: s.next(x) }))
  expectTypeOf<keyof (typeof built extends Model<Specs, infer O> ? O : never)>().toEqualTypeOf<'y'>()
})
