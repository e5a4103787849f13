/** @file The benchmarks' workloads on the visitor's own device. */
import { element, milliseconds } from '../ui/element.ts'
import { benchModels } from './bench-models.ts'

type Device = 'wasm' | 'webgpu'
type Workload = (typeof import('@quern/bench/workloads'))['workloads'][number]

/** Runs go on until there are so many samples, or so much time is spent and there are a few. */
const samples = { most: 15, fewest: 3, ms: 600 }
/** A clock that is not isolated ticks in tenths of a millisecond: a sample is long enough for that. */
const shortestSample = 4

const median = (times: readonly number[]): number => [...times].sort((a, b) => a - b)[times.length >> 1] ?? NaN

/** Lets the page draw, and answer to clicks. */
const breath = (): Promise<void> => new Promise(done => requestAnimationFrame(() => setTimeout(done)))

const measure = async (workload: Workload, device: Device): Promise<{ readonly ms: number; readonly ran: string }> => {
  const load = benchModels.get(workload.name)
  if (load === undefined) throw new Error(`there is no model for ${workload.name}`)
  const net = await (await load()).default.load({ device })
  try {
    const inputs = Object.fromEntries(Object.entries(workload.inputs()).map(([name, { data }]) => [name, data]))
    const into = { y: new Float32Array(workload.output.reduce((p, d) => p * d, 1)) }
    const timed = async (runs: number): Promise<number> => {
      const start = performance.now()
      for (let i = 0; i < runs; i++) await net.run(inputs, { into })
      return (performance.now() - start) / runs
    }
    await timed(1)
    const batch = Math.max(1, Math.ceil(shortestSample / Math.max(0.01, await timed(2))))
    const times: number[] = []
    const start = performance.now()
    while (times.length < samples.most && (times.length < samples.fewest || performance.now() - start < samples.ms))
      times.push(await timed(batch))
    const { device: ran, thread, threads } = net.report()
    return {
      ms: median(times),
      ran: ran === 'wasm' ? `wasm, ${thread === 'caller' ? 'this thread' : `${threads} in workers`}` : ran,
    }
  } finally {
    await net.dispose()
  }
}

const rate = ({ cost }: Workload, ms: number): string =>
  `${(cost.amount / ms / 1e6).toFixed(1)} ${cost.kind === 'flops' ? 'GFLOP/s' : 'GB/s'}`

/** Why there is no WebGPU here; nothing where there is. */
const whyNoWebGpu = async (): Promise<string | undefined> => {
  if (!isSecureContext) return 'WebGPU works on https and on localhost only.'
  if (!('gpu' in navigator)) return 'This browser has no WebGPU.'
  return (await navigator.gpu.requestAdapter()) === null
    ? 'This browser knows WebGPU and found no adapter: a graphics driver may be missing or blocked.'
    : undefined
}

export const benchDemo = (): HTMLElement => {
  const status = element(
    'p',
    { class: 'status', role: 'status', 'aria-live': 'polite' },
    'Nothing has run yet. It takes about half a minute.',
  )
  const body = element('tbody')
  const head = element('tr', {}, ...['Workload', 'wasm', 'WebGPU'].map(title => element('th', { scope: 'col' }, title)))
  const cells = new Map<string, Readonly<Record<Device, HTMLElement>>>()
  const loaded = import('@quern/bench/workloads').then(({ workloads }) => {
    const offered = workloads.filter(w => benchModels.has(w.name))
    for (const { name, title } of offered) {
      const own = { wasm: element('td', {}, '—'), webgpu: element('td', {}, '—') }
      cells.set(name, own)
      body.append(element('tr', {}, element('th', { scope: 'row' }, title), own.wasm, own.webgpu))
    }
    return offered
  })

  let stopped = false
  let noGpu: string | undefined = 'not known yet'

  const run = async (device: Device): Promise<void> => {
    for (const b of buttons) b.disabled = true
    stopped = false
    stop.hidden = false
    delete root.dataset['done']
    progress.hidden = false
    const offered = await loaded
    for (const [i, workload] of offered.entries()) {
      const cell = cells.get(workload.name)?.[device]
      if (cell === undefined) continue
      if (stopped) break
      status.textContent = `${i + 1} of ${offered.length}: ${workload.title} …`
      progress.value = i / offered.length
      await breath()
      try {
        const { ms, ran } = await measure(workload, device)
        cell.replaceChildren(milliseconds(ms), element('small', {}, rate(workload, ms)))
        cell.title = ran
      } catch (error) {
        cell.textContent = 'not here'
        cell.title = error instanceof Error ? error.message : String(error)
      }
    }
    progress.hidden = true
    stop.hidden = true
    status.textContent = stopped
      ? 'Stopped. What was measured before stands below.'
      : 'Median of repeated runs, arrays in and arrays out. Close other tabs and run it again to see how far times vary.'
    for (const b of buttons) b.disabled = b.value === 'webgpu' && noGpu !== undefined
    root.dataset['done'] = device
  }
  const button = (device: Device, title: string): HTMLButtonElement =>
    element(
      'button',
      {
        class: 'primary',
        type: 'button',
        value: device,
        // Until it is known that there is an adapter.
        disabled: device === 'webgpu',
        onclick: () => void run(device),
      },
      title,
    )
  const buttons = [button('wasm', 'Run on wasm'), button('webgpu', 'Run on WebGPU')]
  const stop = element(
    'button',
    { class: 'plain', type: 'button', hidden: true, onclick: () => (stopped = true) },
    'Stop',
  )
  const note = element('p', { class: 'note' })
  void whyNoWebGpu().then(why => {
    noGpu = why
    note.textContent = why ?? ''
    for (const b of buttons) if (b.value === 'webgpu' && stop.hidden) b.disabled = why !== undefined
  })
  const progress = element('progress', { max: '1', value: '0', 'aria-label': 'Workloads measured' })
  progress.hidden = true
  const root = element(
    'article',
    { class: 'demo', id: 'demo-bench' },
    element(
      'section',
      { class: 'card intro' },
      element('h1', {}, 'On your device'),
      element(
        'p',
        {},
        'The workloads of BENCHMARKS.md whose weights are small, compiled when this page was built. Other libraries are measured beside Quern by ',
        element('code', {}, 'npm run bench'),
        ', not here.',
      ),
      element('div', { class: 'buttons' }, ...buttons, stop),
      note,
    ),
    element(
      'section',
      { class: 'card' },
      status,
      progress,
      element('div', { class: 'scroll' }, element('table', { class: 'figures' }, element('thead', {}, head), body)),
    ),
  )
  return root
}
