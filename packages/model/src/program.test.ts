/** @file A program is typed by its entries: one that it does not have is no property of what is loaded. */
import type { LoadedProgram, Program } from '@quern/artifact'
import { expectTypeOf, it } from 'vitest'
import { add, entry, program, tensor } from './index.ts'

it('names its entries, and no others', () => {
  const two = program({
    one: entry({ x: tensor('f32', [2]) }, ({ x }) => ({ y: add(x, 1) })),
    two: entry({ z: tensor('i32', [3]) }, ({ z }) => ({ w: add(z, 1) })),
  })
  type Loaded = typeof two extends Program<infer E> ? LoadedProgram<E> : never
  expectTypeOf<Loaded>().toHaveProperty('one')
  expectTypeOf<Loaded>().toHaveProperty('two')
  expectTypeOf<Loaded>().toHaveProperty('state')
  expectTypeOf<Loaded>().not.toHaveProperty('anythingAtAll')
})
