/** @file Random graphs mean the same lowered as interpreted: node by node, and as one region; what is alike stays apart; and their memory holds. */
import { type Graph, GraphBuilder, type Value, ix, printPlan, rangeOf, symbolRanges } from '@quern/core-ir'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { lowerProgram } from './lower-program.ts'
import { type Liveness, liveness } from './memory/liveness.ts'
import { wasmTarget } from './target/wasm.ts'
import { webgpuTarget } from './target/webgpu.ts'
import { alike } from './testing/alike.ts'
import { asRegion, difference, legalised, programOf, random, randomInputs, symbolValues } from './testing/graphs.ts'

const n = ix.variable('n')

/** A graph of up to `size` nodes over f32 matrices with a symbolic dim. */
const randomGraph = (seed: number, size: number, bounds = { min: 1, max: 9 }): Graph => {
  const next = random(seed)
  const pick = <T>(xs: readonly T[]): T => xs[Math.floor(next() * xs.length)] as T
  const b = new GraphBuilder('random')
  b.declare({ name: 'n', ...bounds, multipleOf: 1 })
  const values: Value[] = [
    b.input('x', { dtype: 'f32', shape: [n, ix.constant(4)] }),
    b.input('y', { dtype: 'f32', shape: [ix.constant(4), n] }),
    b.one('constant', [], { data: { kind: 'inline', values: [1, -2, 0.5, 3] }, dtype: 'f32', shape: [4] }),
  ]
  const shapeKey = (v: Value): string => v.type.shape.map(d => d.key).join()
  const add = (v: Value): void => void (v.type.shape.length <= 3 && values.push(v))
  for (let i = 0; i < size; i++) {
    const x = pick(values)
    const { shape } = x.type
    const rank = shape.length
    switch (Math.floor(next() * 10)) {
      case 0:
        add(b.one(pick(['neg', 'exp', 'sin', 'abs', 'tanh']), [x]))
        break
      case 1:
      case 2: {
        const same = values.filter(v => shapeKey(v) === shapeKey(x))
        add(b.one(pick(['add', 'mul', 'sub', 'max']), [x, pick(same)]))
        break
      }
      case 3:
        if (rank > 0)
          add(
            b.one(pick(['reduce-sum', 'reduce-max']), [x], {
              axes: [Math.floor(next() * rank)],
              keepDims: next() < 0.5,
            }),
          )
        break
      case 4:
        if (rank === 2) add(b.one('transpose', [x], { perm: [1, 0] }))
        break
      case 5: {
        const rights = values.filter(
          v => v.type.shape.length === 2 && rank === 2 && v.type.shape[0]?.key === shape[1]?.key,
        )
        if (rights.length > 0) add(b.one('matmul', [x, pick(rights)]))
        break
      }
      case 6: {
        const wide = values.find(
          v =>
            v.type.shape.length >= rank &&
            v.type.shape.length > 0 &&
            shape.every((d, k) => {
              const into = v.type.shape[v.type.shape.length - rank + k]
              return ix.isConst(d, 1) || d.key === into?.key
            }),
        )
        if (wide !== undefined) add(b.one('broadcast', [x], { shape: wide.type.shape }))
        break
      }
      case 7:
        if (rank > 0) add(b.one('softmax', [x]))
        break
      case 8:
        add(b.one('reshape', [x], { shape: [ix.product(shape)] }))
        break
      case 9:
        if (rank === 2 && shape[1] !== undefined && ix.isConst(shape[1], 4))
          add(b.one('slice', [x], { starts: [0, 3], sizes: [shape[0] ?? 0, 2], steps: [1, -2] }))
        break
    }
  }
  const outputs = [values.at(-1), ...values.filter(() => next() < 0.2)].filter(v => v !== undefined)
  return b.finish(Object.fromEntries(outputs.map((v, i) => [`out${i}`, v])))
}

const cases = fc.tuple(
  fc.integer({ min: 0, max: 2 ** 31 }),
  fc.integer({ min: 1, max: 14 }),
  fc.integer({ min: 1, max: 9 }),
)
interface PlacedBuffer {
  readonly name: string
  readonly bytes: number
}
const sizeOf = (placed: readonly PlacedBuffer[], name: string): number => placed.find(p => p.name === name)?.bytes ?? 0

/** Bytes wanted at one step; what is written over what it was made of counts once. */
const bytesAt = ({ intervals, inPlace }: Liveness, at: number, bytesOf: (name: string) => number): number => {
  const names = new Set([...intervals].flatMap(([name, { first, last }]) => (first <= at && at <= last ? [name] : [])))
  const used = new Set<string>()
  for (const { from, to, at: step } of inPlace) {
    if (step !== at || used.has(from) || used.has(to)) continue
    used.add(from).add(to)
    names.delete(to)
  }
  return [...names].reduce((sum, name) => sum + bytesOf(name), 0)
}

const targets = { wasm: wasmTarget(), 'wasm-threads': wasmTarget({ threads: 2 }), webgpu: webgpuTarget() }

describe.each(Object.entries(targets))('random graphs on %s', (_, target) => {
  it.each(['node by node', 'as one region'])('mean the same, %s', how => {
    fc.assert(
      fc.property(cases, ([seed, size, dim]) => {
        const graph = randomGraph(seed, size)
        const lowered = lowerProgram(programOf(how === 'as one region' ? asRegion(graph) : graph), target)
        const inputs = randomInputs(graph, symbolValues(graph, dim), random(seed + 1))
        expect(difference(graph, legalised(lowered), inputs)).toBeUndefined()
      }),
      { numRuns: 25 },
    )
  })

  it('keep apart what is alike', () => {
    fc.assert(
      fc.property(cases, ([seed, size]) => {
        const graph = alike(seed, Math.min(size + 1, 8))
        const lowered = lowerProgram(programOf(graph), target)
        const inputs = randomInputs(graph, new Map(), random(seed + 1))
        expect(difference(graph, legalised(lowered), inputs)).toBeUndefined()
      }),
      { numRuns: 40 },
    )
  })

  it('have no two live buffers in one place, and a peak no lower than the bound', () => {
    fc.assert(
      fc.property(cases, fc.integer({ min: 1, max: 512 }), fc.boolean(), ([seed, size], dim, fixed) => {
        const graph = randomGraph(seed, size, fixed ? { min: dim, max: dim } : { min: 1, max: 512 })
        const lowered = lowerProgram(programOf(graph), target)
        const [plan] = lowered.plans
        const memory = plan?.memory
        if (plan === undefined || memory === undefined) throw new Error('no memory plan')
        const at = symbolValues(graph, dim)
        const live = liveness(
          plan,
          new Map([...lowered.unscheduled].map(([name, u]) => [name, u.region.kernel])),
          target.inPlaceBindings,
        )
        const placed = [...live.intervals].map(([name, interval]) => {
          const slot = memory.slots.find(s => s.name === memory.slotOf.get(name))
          if (slot === undefined) throw new Error(`${name} has no slot`)
          return { name, interval, from: ix.evaluateIndex(slot.offset, at), bytes: ix.evaluateIndex(slot.bytes, at) }
        })
        for (const a of placed)
          for (const b of placed) {
            if (a.name >= b.name || a.from + a.bytes <= b.from || b.from + b.bytes <= a.from) continue
            const apart = a.interval.last < b.interval.first || b.interval.last < a.interval.first
            const inPlace = live.inPlace.some(p => [a.name, b.name].includes(p.from) && [a.name, b.name].includes(p.to))
            expect(apart || inPlace, `${a.name} and ${b.name}`).toBe(true)
          }
        const peak = ix.evaluateIndex(memory.peak, at)
        const least = Math.max(
          ...Array.from({ length: live.positions + 2 }, (_, i) => bytesAt(live, i - 1, name => sizeOf(placed, name))),
        )
        expect(peak).toBeGreaterThanOrEqual(least)
        expect(ix.evaluateIndex(memory.lowerBound, at)).toBeLessThanOrEqual(least)
        // Within a tenth where sizes are known, or a line of 64 bytes. Which of two sizes is the larger may depend on the dim, and
        // one plan serves all; where each slot is a buffer of its own, tenants of different sizes do not share it as well.
        const most = !target.oneMemory ? 2 : fixed ? 1.1 : 1.5
        expect(peak, printPlan(plan)).toBeLessThanOrEqual(Math.max(most * least, least + 64))
        expect(rangeOf(memory.peak, symbolRanges(graph.symbols)).max).toBeLessThan(Infinity)
      }),
      { numRuns: 25 },
    )
  })
})
