/** @file sin(x) + cos(x) over four million numbers: three operations become one kernel. */
import uPlot from 'uplot'
import 'uplot/dist/uPlot.min.css'
import sincos from '../models/sincos.model.ts'
import source from '../models/sincos.model.ts?raw'
import { type CodeTab, codeView } from '../ui/code-view.ts'
import { element, milliseconds } from '../ui/element.ts'

const count = 4 * 1024 * 1024,
  rounds = 5

interface Lane {
  readonly name: string
  readonly note: string
  /** Prepares, then gives a function that runs once and leaves the result in `into`. */
  open(): Promise<{ run(): Promise<void>; close(): Promise<void>; device: string }>
}

const median = (times: readonly number[]): number => [...times].sort((a, b) => a - b)[times.length >> 1] ?? NaN

/** How the kernel reads in each code; stages are absent for a target that could not be compiled. */
const codeTabs = async (): Promise<readonly CodeTab[]> => {
  // Far more text than the demo is code: it comes when the demo stands.
  const { default: stages } = await import('../models/sincos.model.ts?stages')
  const wasm = stages['wasm'] ?? {},
    gpu = stages['webgpu'] ?? {}
  return [
    { title: 'sincos.model.ts', language: 'typescript' as const, text: source },
    { title: 'graph', language: 'graph' as const, text: wasm['graph'] ?? '' },
    { title: 'after fusion', language: 'graph' as const, text: wasm['regions'] ?? '' },
    { title: 'schedule', language: 'text' as const, text: wasm['schedule'] ?? '' },
    { title: 'loop nest', language: 'text' as const, text: wasm['loop'] ?? '' },
    { title: 'WAT', language: 'wat' as const, text: wasm['wat'] ?? '' },
    { title: 'WGSL', language: 'wgsl' as const, text: gpu['wgsl'] ?? '' },
  ].filter(tab => tab.text !== '')
}

/** A canvas cannot parse `light-dark(…)`: what the property comes to on this page, now. */
const resolved = (property: string): string => {
  const probe = element('span', { style: `color: var(${property})` })
  document.body.append(probe)
  const { color } = getComputedStyle(probe)
  probe.remove()
  return color
}

export const sincosDemo = (): HTMLElement => {
  const x = Float32Array.from({ length: count }, (_, i) => (i / count) * 8 * Math.PI - 4 * Math.PI)
  const into = new Float32Array(count)
  const lanes: readonly Lane[] = [
    {
      name: 'JavaScript',
      note: 'a for loop over Math.sin and Math.cos',
      open: async () => ({
        device: 'this thread',
        close: async () => {},
        run: async () => {
          for (let i = 0; i < count; i++) into[i] = Math.sin(x[i] ?? 0) + Math.cos(x[i] ?? 0)
        },
      }),
    },
    ...(['wasm', 'webgpu'] as const).map((device): Lane => ({
      name: device === 'wasm' ? 'Quern on wasm' : 'Quern on WebGPU',
      note: device === 'wasm' ? 'one SIMD kernel' : 'one WGSL kernel, readback included',
      open: async () => {
        const net = await sincos.load({ device, thread: 'auto' })
        return {
          device: `${net.report().device}, ${net.report().thread}`,
          run: async () => {
            await net.run({ x }, { into: { y: into } })
          },
          close: () => net.dispose(),
        }
      },
    })),
  ]

  const bars = lanes.map(lane => {
    const fill = element('div', { class: 'fill' })
    const value = element('output', { class: 'value' }, '—')
    const note = element('small', {}, lane.note)
    const row = element(
      'div',
      { class: 'bar' },
      element('div', { class: 'label' }, element('strong', {}, lane.name), note),
      element('div', { class: 'track' }, fill),
      value,
    )
    return { lane, row, fill, value, note, ms: NaN }
  })
  const status = element(
    'p',
    { class: 'status', role: 'status', 'aria-live': 'polite' },
    'Four million numbers, 16 MB in and 16 MB out.',
  )
  const plot = element('div', { class: 'plot' })
  const button = element('button', { class: 'primary', type: 'button', onclick: () => void run() }, 'Run')

  const draw = (): void => {
    const shown = 600,
      step = Math.floor(count / shown)
    const xs = Array.from({ length: shown }, (_, i) => x[i * step] ?? 0),
      ys = xs.map((_, i) => into[i * step] ?? 0)
    plot.replaceChildren()
    const axis = {
      stroke: resolved('--muted'),
      grid: { stroke: resolved('--line') },
      ticks: { stroke: resolved('--line') },
    }
    new uPlot(
      {
        width: plot.clientWidth || 600,
        height: 190,
        legend: { show: false },
        scales: { x: { time: false } },
        axes: [axis, axis],
        series: [{}, { stroke: resolved('--accent'), width: 2, label: 'sin x + cos x' }],
      },
      [xs, ys],
      plot,
    )
  }
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => root.dataset['done'] && draw())
  addEventListener('themechange', () => root.dataset['done'] && draw())
  const showBars = (): void => {
    const slowest = Math.max(...bars.map(b => b.ms).filter(ms => !Number.isNaN(ms)))
    for (const b of bars) b.fill.style.width = Number.isNaN(b.ms) ? '0' : `${Math.max(1, (b.ms / slowest) * 100)}%`
  }
  const run = async (): Promise<void> => {
    button.disabled = true
    for (const bar of bars) {
      status.textContent = `Running ${bar.lane.name} …`
      await new Promise(requestAnimationFrame)
      try {
        const opened = await bar.lane.open()
        await opened.run()
        const times: number[] = []
        for (let i = 0; i < rounds; i++) {
          const start = performance.now()
          await opened.run()
          times.push(performance.now() - start)
        }
        await opened.close()
        bar.ms = median(times)
        bar.value.textContent = milliseconds(bar.ms)
        bar.row.title = opened.device
      } catch (error) {
        bar.value.textContent = 'not here'
        bar.note.textContent = error instanceof Error ? error.message : String(error)
      }
      showBars()
    }
    draw()
    const [js, wasm] = bars
    status.textContent =
      js !== undefined && wasm !== undefined && wasm.ms > 0
        ? `Median of ${rounds} runs, arrays in and out. On wasm ${(js.ms / wasm.ms).toFixed(1)} times as fast as JavaScript.`
        : 'Done.'
    button.disabled = false
    root.dataset['done'] = 'true'
  }
  const root = element(
    'article',
    { class: 'demo', id: 'demo-sincos' },
    element(
      'section',
      { class: 'card intro' },
      element('h1', {}, 'sin(x) + cos(x), fused'),
      element(
        'p',
        {},
        'Three operations, written as three function calls. A library runs three loops and writes two intermediate arrays of 16 MB; the compiler makes one kernel that reads x once and writes y once.',
      ),
      button,
    ),
    element('section', { class: 'card' }, element('h2', {}, 'Time of one run'), ...bars.map(b => b.row), status, plot),
    codeView('sin(x) + cos(x): source and what was emitted', codeTabs()),
  )
  return root
}
