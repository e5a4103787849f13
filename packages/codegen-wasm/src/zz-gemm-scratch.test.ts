import { test } from 'vitest'
import { writeFileSync } from 'node:fs'
import { expandKernel, printKernel, verifyKernel, ix, parseKernel } from '@quern/core-ir'
import { legalise, type LoweredRegion, type Stage } from '@quern/loop-opt'
import { gemm } from '../../loop-opt/src/rules/gemm.ts'
import { matmulRegion } from '../../loop-opt/src/testing/regions.ts'
import { instantiate, programOf } from './testing/run-kernel.ts'
const tiles = (process.env.TILES ?? '2x16,4x8').split(',')
test('x', async () => {
  const N = Number(process.env.N ?? 512)
  const peakK = parseKernel(`kernel peak(read x: f32[64], write y: f32[64]) { alloc register acc: f32[12,4]
    ${Array.from({ length: 12 }, (_, i) => `for vector u${i} < 4 { store acc[${i}, u${i}] = x[u${i}] }`).join('\n')}
    for i < 4000000 { for vector l < 4 { let b = x[l + 16]
    ${Array.from({ length: 12 }, (_, i) => `store acc[${i}, l] = acc[${i}, l] * b + b`).join('\n')} } }
    ${Array.from({ length: 12 }, (_, i) => `for vector w${i} < 4 { store y[${4 * i} + w${i}] = acc[${i}, w${i}] }`).join('\n')}
  }`)
  const peak = await instantiate(programOf(expandKernel(peakK)))
  const px = new Float32Array(64).fill(0.5),
    py = new Float32Array(64)
  let pt = 1e9
  for (let i = 0; i < 3; i++) {
    const t = performance.now()
    peak.run({ x: px, y: py })
    pt = Math.min(pt, performance.now() - t)
  }
  const pg = (12 * 8 * 4e6) / pt / 1e6
  console.log('peak', pg.toFixed(1), 'GFLOP/s')
  for (const spec of tiles) {
    const [mr, nr] = spec.split('x').map(Number)
    for (const pack of ['layout', 'panel', 'none'] as const)
      for (const kb of (process.env.KB ?? '0').split(',').map(Number)) {
        const t0 = performance.now()
        const s = gemm(matmulRegion(N, N, N), { mr: mr!, nr: nr!, pack, ...(kb ? { kb } : {}) })
        const k0 = legalise(s.kernel)
        const kernel = expandKernel(k0)
        const t1 = performance.now()
        verifyKernel(kernel)
        const w = await instantiate(programOf(kernel))
        if (pack === 'layout') {
          writeFileSync(`/tmp/gemm-${spec}.wat`, w.emitted.wat)
          writeFileSync(`/tmp/gemm-${spec}.k`, printKernel(kernel))
        }
        const a = Float32Array.from({ length: N * N }, (_, i) => (((i * 7919) % 13) - 6) / 7),
          b = Float32Array.from({ length: N * N }, (_, i) => (((i * 104729) % 17) - 8) / 9)
        const bias = new Float32Array(N).fill(10),
          y = new Float32Array(N * N)
        const bp =
          pack === 'layout'
            ? b.map((_, i) => {
                const c = i % nr!,
                  r = Math.floor(i / nr!) % N,
                  p = Math.floor(i / nr! / N)
                return b[r * N + p * nr! + c]!
              })
            : b
        let best = 1e9
        for (let i = 0; i < 8; i++) {
          const t = performance.now()
          w.run({ a, b: bp, bias, y })
          best = Math.min(best, performance.now() - t)
        }
        let worst = 0
        for (const [i, j] of [
          [0, 0],
          [N - 1, N - 1],
          [5, 77 % N],
          [N >> 1, 3],
        ] as const) {
          let sum = 0
          for (let p = 0; p < N; p++) sum += a[i * N + p]! * b[p * N + j]!
          worst = Math.max(worst, Math.abs(Math.max(sum + 10, 0) - y[i * N + j]!))
        }
        const g = (2 * N ** 3) / best / 1e6
        console.log(
          spec,
          pack,
          kb,
          best.toFixed(2),
          'ms',
          g.toFixed(1),
          'GFLOP/s',
          ((100 * g) / pg).toFixed(0) + '%',
          'err',
          worst.toExponential(1),
          'schedule ms',
          (t1 - t0).toFixed(0),
        )
      }
  }
}, 100000)
