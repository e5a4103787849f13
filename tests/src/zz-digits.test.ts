import { jit } from '@quern/jit'
import digits from '@quern/playground/src/models/digits.model.ts'
import { it } from 'vitest'
it('digits', async () => {
  for (let k = 0; k < 3; k++) {
  const t0 = performance.now()
  const net: any = await jit(digits, { device: 'wasm', thread: 'caller', ...(process.env.SHOW && k === 0 ? { onStage: (n: string, t: string) => { if (n.includes(process.env.SHOW!)) console.log(n, t) } } : {}) })
  const t1 = performance.now()
  console.log('compile+load', (t1 - t0).toFixed(0))
  const one = new Float32Array(784).fill(0.5), many = new Float32Array(784 * 1000).fill(0.3)
  for (const [n, x] of [[1, one], [1000, many]] as const) {
    let best = Infinity
    for (let i = 0; i < (n === 1 ? 200 : 5); i++) { const s = performance.now(); await net.run({ image: x }); best = Math.min(best, performance.now() - s) }
    console.log('n', n, best.toFixed(3), 'ms')
  }
  console.log(JSON.stringify(net.report()))
  if (k == 2) console.log((await net.profile({ image: one })))
  }
}, 60000)
