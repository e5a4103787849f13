import { wasmHeader } from '@quern/artifact'
import { parseLowered } from '@quern/core-ir'
import { expect, test } from 'vitest'
import { assemble } from './assemble.ts'
import { emitWasm } from './emit-wasm.ts'
import { evaluate } from '../../runtime/src/expr.ts'
import { runTeam } from '../test-support/team.ts'

/** Sums in parallel, meets, scales by the sum; then a branch on data that worker 0 computed alone. */
const program = parseLowered(`program team {
  kernel share(read x: f32[64], read_write part: f32[8], write y: f32[64]) {
    for parallel p < 8 {
      alloc register sum: f32[]
      store sum[] = 0.0
      for i < 8 { accumulate sum[] sum= x[8*p + i] }
      store part[p] = sum[]
    }
    barrier
    alloc register all: f32[]
    store all[] = 0.0
    for k < 8 { accumulate all[] sum= part[k] }
    for parallel q < 64 { store y[q] = x[q] + all[] }
  }
  kernel decide(read y: f32[64], write odd: bool[]) {
    store odd[] = rem(y[0], 2.0) == 1.0
  }
  kernel twice(read y: f32[64], write z: f32[64]) {
    for parallel i < 64 { store z[i] = y[63 - i] * 2.0 }
  }
  kernel minus(read y: f32[64], write z: f32[64]) {
    for parallel j < 64 { store z[j] = 0.0 - y[63 - j] }
  }
  kernel step(read z: f32[64], read_write y: f32[64]) {
    for i < 64 { store y[i] = z[63 - i] + 1.0 }
  }
  plan main {
    input x: f32[64]
    scratch part: f32[8]
    scratch y: f32[64]
    scratch odd: bool[]
    output z: f32[64]
    steps {
      kernel share(x, part, y)
      kernel decide(y, odd)
      if odd { kernel twice(y, z) } else { kernel minus(y, z) }
      loop trip upto 2 {
        kernel step(z, y)
        kernel minus(y, z)
      }
    }
  }
}`)

const expected = `(x => {
  const sum = x.reduce((a, b) => a + b, 0)
  let y = x.map(v => v + sum)
  const f = y[0] % 2 === 1 ? v => v * 2 : v => -v
  let z = y.map((_, i) => f(y[63 - i]))
  for (let t = 0; t < 2; t++) { y = z.map((_, i) => z[63 - i] + 1); z = y.map((_, i) => -y[63 - i]) }
  return z
})`

const build = async () => {
  const emitted = emitWasm(program, { threads: true, relaxed: false, maxTeam: 4 })
  const module = await WebAssembly.compile(
    new Uint8Array(await assemble(emitted.wat, { threads: true, relaxed: false })),
  )
  const memory = new WebAssembly.Memory({ initial: 1, maximum: emitted.layout.sharedMaxPages ?? 1, shared: true })
  const entry = emitted.entries['main']
  const [x = 0, z = 0] = (entry?.buffers ?? []).map(e => evaluate(e, {}))
  return { emitted, module, memory, entry, x, z }
}

test('two workers run a kernel with a barrier and a branch 10,000 times', async () => {
  const { module, memory, entry, x, z } = await build()
  expect(entry?.parallel).toBe(true)
  new DataView(memory.buffer).setInt32(wasmHeader.teamSize, 2, true)
  const results = await runTeam(
    {
      module,
      memory,
      entry: 'main',
      runs: 10_000,
      before: `(memory, run) => { const x = new Float32Array(memory.buffer, ${x}, 64); for (let i = 0; i < 64; i++) x[i] = (run * 7 + i * 3) % 11 }`,
      after: `(memory, run) => {
        const want = ${expected}(new Float32Array(memory.buffer, ${x}, 64).slice())
        const found = new Float32Array(memory.buffer, ${z}, 64)
        return want.every((v, i) => Object.is(v, found[i]))
      }`,
    },
    [0, 1],
  )
  expect(results).toEqual([
    { statuses: [0], wrong: 0 },
    { statuses: [0], wrong: 0 },
  ])
}, 30_000)

test('a member alone waits until the run is aborted', async () => {
  const { module, memory } = await build()
  new DataView(memory.buffer).setInt32(wasmHeader.teamSize, 2, true)
  const waiting = runTeam({ module, memory, entry: 'main', runs: 1, before: '() => {}', after: '() => true' }, [0])
  setTimeout(() => Atomics.store(new Int32Array(memory.buffer), wasmHeader.abort / 4, 1), 200)
  expect(await waiting).toEqual([{ statuses: [1], wrong: 0 }])
})

test('barriers stand only where a step needs another member', async () => {
  const { emitted } = await build()
  const plan = emitted.wat.slice(emitted.wat.indexOf(';; plan main'))
  expect(
    plan
      .slice(0, plan.indexOf('(func $barrier'))
      .split('\n')
      .map(l => l.trim())
      .filter(l => /call|if |loop|else/.test(l))
      .map(l => l.replace(/\(i32\.const \d+\)/g, '#')),
  ).toMatchInlineSnapshot(`
    [
      "(if (i32.ge_u (local.get $thread) (local.get $team))",
      "(if (i32.eqz (local.get $thread))",
      "(if (call $barrier (local.get $team))",
      "(if (call $share # # # (local.get $thread) (local.get $team))",
      "(if (call $barrier (local.get $team))",
      "(if (i32.eqz (local.get $thread))",
      "(call $decide # #)",
      "(if (call $barrier (local.get $team))",
      "(if (local.get $t_1)",
      "(call $twice # # (local.get $thread) (local.get $team))",
      "(else",
      "(call $minus # # (local.get $thread) (local.get $team))",
      "(loop $loop",
      "(if (call $barrier (local.get $team))",
      "(br_if $end (i32.ge_s (local.get $trip) #))",
      "(if (i32.eqz (local.get $thread))",
      "(call $step # #)",
      "(if (call $barrier (local.get $team))",
      "(call $minus # # (local.get $thread) (local.get $team))",
      "(br $loop)",
      "(if (call $barrier (local.get $team))",
    ]
  `)
})

test('steps meet where their slots lie over one another', () => {
  const barriers = (at: number): number => {
    const { wat } = emitWasm(
      parseLowered(`program over {
        kernel left(read x: f32[64], write t: f32[64]) { for parallel i < 64 { store t[i] = x[63 - i] } }
        plan main {
          input x: f32[64]
          input z: f32[64]
          output a: f32[64]
          output b: f32[64]
          steps { kernel left(x, a) kernel left(z, b) }
          memory {
            slot s0: 256 at 0 holds [x]
            slot s1: 256 at 256 holds [z]
            slot s2: 256 at 512 holds [a]
            slot s3: 256 at ${at} holds [b]
            peak 1024
            bound 1024
          }
        }
      }`),
      { threads: true, relaxed: false, maxTeam: 4 },
    )
    const plan = wat.slice(wat.indexOf(';; plan'))
    return plan.slice(0, plan.indexOf('(func $barrier')).split('(call $barrier').length - 1
  }
  // One at the start and one at the end; where b lies over x, its writers wait until x has been read.
  expect(barriers(768)).toBe(2)
  expect(barriers(128)).toBe(3)
})
