/** @file Draw a digit, or classify the 1,000 real test digits. */
import testDigitsUrl from 'virtual:test-digits'
import digits from '../models/digits.model.ts'
import source from '../models/digits.model.ts?raw'
import { type CodeTab, codeView } from '../ui/code-view.ts'
import { type Device, deviceSwitch } from '../ui/device-switch.ts'
import { bytes, element, milliseconds } from '../ui/element.ts'
import { digitPad } from './digit-pad.ts'

type Net = Awaited<ReturnType<typeof digits.load>>

const codeTabs = async (): Promise<readonly CodeTab[]> => {
  // Far more text than the demo is code: it comes when the demo stands.
  const { default: stages } = await import('../models/digits.model.ts?stages')
  const wasm = stages['wasm'] ?? {},
    gpu = stages['webgpu'] ?? {}
  return [
    { title: 'digits.model.ts', language: 'typescript' as const, text: source },
    { title: 'graph', language: 'graph' as const, text: wasm['graph'] ?? '' },
    { title: 'after fusion', language: 'graph' as const, text: wasm['regions'] ?? '' },
    { title: 'memory plan', language: 'memory' as const, text: wasm['memory'] ?? '' },
    { title: 'WAT', language: 'wat' as const, text: wasm['wat'] ?? '' },
    { title: 'WGSL', language: 'wgsl' as const, text: gpu['wgsl'] ?? '' },
  ].filter(tab => tab.text !== '')
}

export const digitsDemo = (): HTMLElement => {
  let device: Device = 'auto'
  let loaded: Promise<Net> | undefined
  const status = element('p', { class: 'status', role: 'status', 'aria-live': 'polite' }, 'Draw a digit.')
  const facts = element('p', { class: 'facts' })
  const say = (error: unknown): void => {
    status.textContent = error instanceof Error ? error.message : String(error)
  }

  const open = (): Promise<Net> => {
    // One drawn digit at a time is what must be quick: the test set may wait.
    loaded ??= digits.load({ device, dims: { n: 1 } }).then(net => {
      const { device: runs, thread, reasons, bytes: sizes } = net.report()
      facts.textContent = `Runs on ${runs}${runs === 'wasm' ? ` (${thread === 'caller' ? 'this thread' : 'a worker'})` : ''} — ${reasons[0] ?? ''}. Code ${bytes(sizes.code)}, weights ${bytes(sizes.weights)}.`
      return net
    })
    loaded.catch(() => {
      loaded = undefined
    })
    return loaded
  }

  const bars = Array.from({ length: 10 }, (_, digit) => {
    const fill = element('div', { class: 'fill' }),
      value = element('output', { class: 'value' })
    return {
      fill,
      value,
      row: element(
        'div',
        { class: 'bar digit' },
        element('strong', {}, String(digit)),
        element('div', { class: 'track' }, fill),
        value,
      ),
    }
  })
  const showProbs = (probs: ArrayLike<number>): void => {
    const best = Array.from(probs).indexOf(Math.max(...Array.from(probs)))
    bars.forEach((bar, i) => {
      const p = probs[i] ?? 0
      bar.fill.style.width = `${p * 100}%`
      bar.value.textContent = `${(p * 100).toFixed(1)} %`
      bar.row.classList.toggle('best', i === best)
    })
  }

  let pending = false
  const classify = async (): Promise<void> => {
    if (pending) return
    pending = true
    try {
      const net = await open()
      await new Promise(requestAnimationFrame)
      const image = pad.image()
      const start = performance.now()
      const { probs } = await net.run({ image })
      showProbs(probs.data)
      status.textContent = `One digit in ${milliseconds(performance.now() - start)}.`
    } catch (error) {
      say(error)
    } finally {
      pending = false
    }
  }
  const pad = digitPad(() => void classify())

  const progress = element('progress', {
    max: '1000',
    value: '0',
    hidden: true,
    'aria-label': 'Test digits classified',
  })
  const testButton = element(
    'button',
    { class: 'primary', type: 'button', onclick: () => void classifyAll() },
    'Classify 1,000 test digits',
  )
  const classifyAll = async (): Promise<void> => {
    testButton.disabled = true
    progress.hidden = false
    progress.value = 0
    delete root.dataset['right']
    try {
      const net = await open()
      const response = await fetch(testDigitsUrl)
      const pixels = new Uint8Array(await response.arrayBuffer())
      const batch = 50
      let right = 0,
        spent = 0
      for (let at = 0; at < 1000; at += batch) {
        const image = Float32Array.from(pixels.subarray(at * 784, (at + batch) * 784), v => v / 255)
        const start = performance.now()
        const { probs } = await net.run({ image })
        spent += performance.now() - start
        for (let row = 0; row < batch; row++) {
          const scores = Array.from(probs.data.subarray(row * 10, row * 10 + 10))
          if (scores.indexOf(Math.max(...scores)) === Math.floor((at + row) / 100)) right++
        }
        progress.value = at + batch
        pad.show(image.subarray((batch - 1) * 784))
        showProbs(probs.data.subarray((batch - 1) * 10))
        status.textContent = `${right} of ${at + batch} right`
        await new Promise(requestAnimationFrame)
      }
      status.textContent = `${right} of 1,000 right, ${milliseconds(spent / 1000)} a digit in batches of ${batch}.`
      root.dataset['right'] = String(right)
      root.dataset['device'] = net.report().device
    } catch (error) {
      say(error)
    } finally {
      testButton.disabled = false
    }
  }
  const clearButton = element(
    'button',
    {
      class: 'plain',
      type: 'button',
      onclick: () => {
        pad.clear()
        showProbs(new Float32Array(10))
        status.textContent = 'Draw a digit.'
      },
    },
    'Clear',
  )
  const root = element(
    'article',
    { class: 'demo', id: 'demo-digits' },
    element(
      'section',
      { class: 'card intro' },
      element('h1', {}, 'Handwritten digits'),
      element(
        'p',
        {},
        'A convolutional network of 54,000 weights, written in 20 lines of TypeScript. Draw with mouse, pen or finger; the same artifact takes one digit or a thousand.',
      ),
      deviceSwitch('digits-device', chosen => {
        device = chosen
        const before = loaded
        loaded = undefined
        void before?.then(net => net.dispose()).catch(() => {})
        void classify()
      }),
    ),
    element(
      'section',
      { class: 'card draw' },
      element('div', { class: 'pad-side' }, pad.root, clearButton),
      element('div', { class: 'probs' }, ...bars.map(b => b.row)),
    ),
    // Below the pad: what grows here must not move the canvas under the pen.
    element('section', { class: 'card' }, testButton, progress, status, facts),
    codeView('Digits: source and what was emitted', codeTabs()),
  )
  void open().catch(say)
  return root
}
