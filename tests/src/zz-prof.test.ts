import digits from '@quern/playground/src/models/digits.model.ts'
import { compile } from '@quern/compiler'
import { programOf } from '@quern/model'
import { Session } from 'node:inspector'
import { writeFileSync } from 'node:fs'
import { it } from 'vitest'
it('digits', async () => {
  const { graph } = programOf(digits) as any
  const session = new Session(); session.connect()
  const post = (m: string, p?: object) => new Promise<any>((res, rej) => session.post(m as any, p as any, (e: any, r: any) => e ? rej(e) : res(r)))
  await post('Profiler.enable'); await post('Profiler.setSamplingInterval', { interval: 500 }); await post('Profiler.start')
  let last = performance.now()
  const start = last
  await compile(graph, 'wasm', { onStage: (n: string) => { const t = performance.now(); console.log(n, (t - last).toFixed(0)); last = t } })
  console.log('total', performance.now() - start)
  const { profile } = await post('Profiler.stop')
  const self = new Map<string, number>(), total = new Map<string, number>()
  const byId = new Map<number, any>(profile.nodes.map((n: any) => [n.id, n]))
  const parent = new Map<number, number>(); for (const n of profile.nodes) for (const c of n.children ?? []) parent.set(c, n.id)
  const dt = profile.timeDeltas
  profile.samples.forEach((id: number, i: number) => {
    const key = (n: any) => `${n.callFrame.functionName}@${n.callFrame.url.split('/').slice(-2).join('/')}:${n.callFrame.lineNumber}`
    const n = byId.get(id); self.set(key(n), (self.get(key(n)) ?? 0) + dt[i])
    const seen = new Set<string>()
    for (let k: number | undefined = id; k !== undefined; k = parent.get(k)) { const kk = key(byId.get(k)); if (!seen.has(kk)) { seen.add(kk); total.set(kk, (total.get(kk) ?? 0) + dt[i]) } }
  })
  const top = (m: Map<string, number>, n: number) => [...m].sort((a, b) => b[1] - a[1]).slice(0, n).map(([k, v]) => `${(v / 1000).toFixed(0)} ${k}`).join('\n')
  console.log('SELF\n' + top(self, 25)); console.log('TOTAL\n' + top(total, 70))
}, 60000)
