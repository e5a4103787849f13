/** @file Names that every object has already (`toString`, `constructor`, `__proto__`) are names like any other, on the whole way. */
import { isQuernError } from '@quern/artifact'
import { jit } from '@quern/jit'
import { add, concat, cond, dim, entry, greater, loop, model, mul, program, state, sum, tensor } from '@quern/model'
import { describe, expect, it } from 'vitest'
import { software, useSoftwareGpu } from './software-gpu.ts'

useSoftwareGpu()

const names = ['toString', 'constructor', 'valueOf', 'hasOwnProperty', '__proto__', 'then']
/** `{ [name]: value }` makes a property of its own, also of `__proto__`. */
const one = <T>(name: string, value: T): Readonly<Record<string, T>> => ({ [name]: value })
const places = [
  { device: 'wasm', thread: 'caller' },
  { device: 'wasm', thread: 'worker', threads: 1 },
  ...(software === undefined ? [] : [{ device: 'webgpu' } as const]),
] as const
const codeOf = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => 'no error',
    (e: unknown) => (isQuernError(e) ? e.code : e),
  )

describe.each(places)('on $device $thread', place => {
  it.each(names)('inputs, outputs and dims named %s', async name => {
    const net = await jit(
      model(one(name, tensor('f32', [dim(name, { max: 9 }), 2])), inputs => {
        const x = Object.values(inputs)[0]
        if (x === undefined) throw new Error('an input was lost')
        return one(name, concat([x, mul(x, 2)], 0))
      }),
      { ...place, dims: one(name, 3), verify: true },
    )
    const data = Float32Array.of(1, 2, 3, 4)
    const outputs = await net.run(one(name, data))
    expect(Object.keys(outputs)).toEqual([name])
    expect(Object.values(outputs)[0]).toMatchObject({ shape: [4, 2], data: Float32Array.of(1, 2, 3, 4, 2, 4, 6, 8) })
    const into = new Float32Array(8)
    await net.run(one(name, { data, shape: [2, 2] }), { into: one(name, into) })
    expect([...into]).toEqual([1, 2, 3, 4, 2, 4, 6, 8])
    expect(await codeOf(net.run({}))).toBe('input/missing')
    await net.dispose()
  })

  it.each(names)('a state and an entry named %s', async name => {
    const held = state(name, tensor('f32', [2]), [1, 2])
    const net = await jit(
      program(
        one(
          name,
          entry({ x: tensor('f32', [2]) }, ({ x }) => one(name, held.next(add(held.value, x)))),
        ),
      ),
      place,
    )
    const runner = Object.getOwnPropertyDescriptor(net, name)?.value as { run(x: object): Promise<object> }
    await runner.run({ x: Float32Array.of(1, 1) })
    expect((await net.state.read(name)).data).toEqual(Float32Array.of(2, 3))
    await net.dispose()
  })

  it.each(names)('values of branches and loops named %s', async name => {
    const net = await jit(
      model({ x: tensor('f32', [2]) }, ({ x }) => {
        const chosen = cond(
          greater(sum(x), 0),
          () => one(name, mul(x, 2)),
          () => one(name, x),
        )
        return {
          y: Object.values(loop(chosen, 3, carried => one(name, add(Object.values(carried)[0] ?? x, 1))))[0] ?? x,
        }
      }),
      place,
    )
    expect((await net.run({ x: Float32Array.of(1, 2) })).y.data).toEqual(Float32Array.of(5, 7))
    await net.dispose()
  })
})
