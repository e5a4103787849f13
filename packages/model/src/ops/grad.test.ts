import { isQuernError } from '@quern/artifact'
import { type HostTensor, interpretGraphSync, parseGraph, printGraph, verifyGraph } from '@quern/core-ir'
import { expect, expectTypeOf, test } from 'vitest'
import * as q from '../index.ts'

const mainOf = (built: object) => {
  const main = q.programOf(built).graph.entries.get('main')
  if (main === undefined) throw new Error('no main entry')
  verifyGraph(main)
  return main
}
const run = (built: object, inputs: Readonly<Record<string, HostTensor>>) =>
  Object.fromEntries(Object.entries(interpretGraphSync(mainOf(built), inputs)).map(([k, t]) => [k, [...t.data]]))
const f32 = (...values: number[]): HostTensor => ({
  dtype: 'f32',
  shape: [values.length],
  data: Float32Array.from(values),
})
type Three = q.Tensor<'f32', readonly [3]>
const three = q.tensor('f32', [3])

test('grad gives the gradient of the first argument, in its form', () => {
  const built = q.model({ x: three, w: three, b: q.tensor('f32', [1]) }, ({ x, w, b }) => {
    const loss = (p: { layers: readonly { w: Three; b: q.Tensor<'f32', readonly [1]> }[] }, x: Three) => {
      const [layer] = p.layers
      if (layer === undefined) throw new Error('no layer')
      return q.sum(q.add(q.mul(q.mul(layer.w, layer.w), x), layer.b))
    }
    const params = { layers: [{ w, b }] }
    const found = q.grad(loss)(params, x)
    expectTypeOf(found).toEqualTypeOf<{
      layers: readonly { w: Three; b: q.Tensor<'f32', readonly [1]> }[]
    }>()
    expect(found.layers[0]?.w.shape).toEqual([3])
    return { w: found.layers[0]?.w as Three, b: found.layers[0]?.b as q.Tensor<'f32', readonly [1]> }
  })
  const { w, b } = run(built, { x: f32(1, 2, 3), w: f32(4, 5, 6), b: f32(7) })
  expect(w).toEqual([8, 20, 36])
  expect(b).toEqual([3])
})

test('wrt picks other arguments, and several', () => {
  const f = (x: Three, i: q.Tensor<'i32', readonly []>, y: q.Tensor<'f32', readonly [1]>) =>
    q.sum(q.mul(q.mul(x, q.cast(i, 'f32')), y))
  const built = q.model({ x: three, i: q.tensor('i32', []), y: q.tensor('f32', [1]) }, ({ x, i, y }) => {
    const one = q.grad(f, { wrt: 2 })(x, i, y)
    expectTypeOf(one).toEqualTypeOf<q.Tensor<'f32', readonly [1]>>()
    const both = q.grad(f, { wrt: [2, 0] })(x, i, y)
    expectTypeOf(both).toEqualTypeOf<readonly [q.Tensor<'f32', readonly [1]>, Three]>()
    return { one, y: both[0], x: both[1] }
  })
  const i: HostTensor = { dtype: 'i32', shape: [], data: Int32Array.of(2) }
  expect(run(built, { x: f32(1, 2, 3), i, y: f32(5) })).toEqual({ one: [12], y: [12], x: [10, 10, 10] })
})

test('valueAndGrad gives the value too, and what was found beside it', () => {
  const built = q.model({ x: three }, ({ x }) => {
    const plain = q.valueAndGrad((x: Three) => q.sum(q.mul(x, x)))(x)
    expectTypeOf(plain).toEqualTypeOf<{ readonly value: q.Tensor<'f32'>; readonly grad: Three }>()
    const both = q.valueAndGrad((x: Three) => {
      const squares = q.mul(x, x)
      return { value: q.sum(squares), aux: { squares, first: [q.slice(x, [{ end: 1 }])] } }
    })(x)
    expectTypeOf(both.grad).toEqualTypeOf<Three>()
    return {
      value: plain.value,
      again: both.value,
      g: both.grad,
      squares: both.aux.squares,
      first: both.aux.first[0] as q.Tensor,
    }
  })
  expect(run(built, { x: f32(1, 2, 3) })).toEqual({
    value: [14],
    again: [14],
    g: [2, 4, 6],
    squares: [1, 4, 9],
    first: [1],
  })
})

test('what comes from outside counts as constant, and becomes an input of the nested graph', () => {
  const s = q.state('s', three)
  const built = q.model({ x: three, w: three }, ({ x, w }) => {
    const outside = q.mul(x, w)
    return {
      g: q.grad((y: Three) => q.sum(q.mul(q.mul(y, outside), q.add(q.add(w, s.value), q.constant([1, 2, 3])))))(x),
    }
  })
  const text = printGraph(mainOf(built)).replaceAll(/ +\/\/.*/g, '')
  expect(printGraph(parseGraph(text))).toBe(text)
  expect(text).toContain('grad(%x, %"state:s", %w, %x, body=graph body(%x: f32[3], %capture0: f32[3], ')
  const inputs = { x: f32(1, 2, 3), w: f32(1, 1, 2), 'state:s': f32(0, 0, 1) }
  // x · w · (w + s + c), where the first x alone is varied.
  expect(run(built, inputs)['g']).toEqual([2, 6, 36])
})

test('stopGradient holds part of a value fixed; gradients of gradients', () => {
  const built = q.model({ x: three }, ({ x }) => {
    const cube = (y: Three) => q.sum(q.mul(q.mul(y, y), y))
    const fixed = q.grad((y: Three) => q.sum(q.mul(y, q.stopGradient(q.mul(y, y)))))(x)
    const second = q.grad((y: Three) => q.sum(q.grad(cube)(y)))(x)
    const third = q.grad((y: Three) => q.sum(q.grad((z: Three) => q.sum(q.grad(cube)(z)))(y)))(x)
    return { fixed, second, third }
  })
  expect(run(built, { x: f32(1, 2, 3) })).toEqual({ fixed: [1, 4, 9], second: [6, 12, 18], third: [6, 6, 6] })
})

test('in a branch and in a round, whose inputs it may use', () => {
  const built = q.model({ x: three }, ({ x }) => {
    const descend = q.loop({ x }, 3, ({ x }, round) => ({
      x: q.sub(x, q.mul(q.grad((y: Three) => q.sum(q.mul(q.mul(y, y), q.cast(round, 'f32'))))(x), 0.25)) as Three,
    }))
    const { y } = q.cond(
      q.greater(q.sum(x), 0),
      () => ({ y: q.grad((z: Three) => q.sum(q.mul(z, x)))(x) }),
      () => ({ y: x }),
    )
    return { x: descend.x, y }
  })
  expect(run(built, { x: f32(1, 2, 4) })).toEqual({ x: [0, 0, 0], y: [1, 2, 4] })
  expect(run(built, { x: f32(-1, -2, -4) })['y']).toEqual([-1, -2, -4])
})

const refusal = (traced: (x: Three) => unknown) => {
  try {
    q.model({ x: three }, ({ x }) => traced(x) as q.Returned)
  } catch (error) {
    if (!isQuernError(error)) throw error
    const { origin, operands } = error.details as { origin?: { file: string }; operands?: readonly unknown[] }
    return { code: error.code, message: error.message, file: origin?.file, operands }
  }
  return expect.unreachable()
}

test('errors name the line, and what was given', () => {
  const notScalar = refusal(x => ({ y: q.grad((y: Three) => q.mul(y, y))(x) }))
  expect(notScalar).toMatchObject({
    code: 'grad/value-is-scalar',
    file: expect.stringContaining('grad.test.ts'),
    operands: [{ role: 'value', type: 'f32[3]', origin: { file: expect.stringContaining('grad.test.ts') } }],
  })
  expect(notScalar.message).toContain(
    'grad differentiates one number, and the function returns f32[3]: take its sum or its mean',
  )
  const notFloat = refusal(x => ({ y: q.grad((y: Three) => q.argmax(y) as never)(x) }))
  expect(notFloat).toMatchObject({ code: 'grad/value-is-float' })
  expect(refusal(x => ({ y: q.grad((y: Three) => (y === x) as never)(x) }))).toMatchObject({
    code: 'grad/value-is-a-tensor',
  })
  const integers = refusal(x => ({
    y: q.grad((p: { w: Three; i: q.Tensor<'i32'> }) => q.sum(p.w))({ w: x, i: q.arange(3) }).w,
  }))
  expect(integers).toMatchObject({ code: 'grad/wrt-is-float', operands: [{ role: 'argument', type: 'i32[3]' }] })
  expect(integers.message).toContain('i is i32[3]')
  expect(refusal(x => ({ y: q.grad((y: Three) => q.sum(y), { wrt: 1 as number })(x) }))).toMatchObject({
    code: 'grad/wrt-in-range',
  })
  expect(refusal(x => ({ y: q.grad((y: { x: Three; n: Three }) => q.sum(y.x))({ x, n: 3 as never }) }))).toMatchObject({
    code: 'model/not-a-tensor',
    message: expect.stringContaining('grad takes a tensor as n of argument 0, and was given'),
  })
  expect(refusal(x => ({ y: q.grad(q.sum(x) as never)(x as never) }))).toMatchObject({ code: 'model/not-a-function' })
  expect(refusal(x => ({ y: q.grad((y: Three) => q.sum(y), { argnums: 0 } as never)(x) }))).toMatchObject({
    code: 'model/unknown-option',
  })
})
