/** @file The playground's entry: one tab a demo, chosen by the address's hash. */
import './style.css'
import { element } from './ui/element.ts'
import { markTab, tabKeys } from './ui/tab-keys.ts'

const demos: readonly { readonly id: string; readonly title: string; readonly open: () => Promise<HTMLElement> }[] = [
  { id: 'sincos', title: 'sin + cos', open: async () => (await import('./demos/sincos.ts')).sincosDemo() },
  { id: 'digits', title: 'Digits', open: async () => (await import('./demos/digits.ts')).digitsDemo() },
  { id: 'bench', title: 'Benchmarks', open: async () => (await import('./demos/bench.ts')).benchDemo() },
]

const app = document.querySelector('#app') as HTMLElement
const tabs = document.querySelector('#tabs') as HTMLElement
const opened = new Map<string, Promise<HTMLElement>>()

const chosen = (): number =>
  Math.max(
    0,
    demos.findIndex(d => `#${d.id}` === location.hash),
  )
const show = async (): Promise<void> => {
  const index = chosen()
  const demo = demos[index]
  if (demo === undefined) return
  markTab(tabs, index)
  const panel = opened.get(demo.id) ?? demo.open()
  opened.set(demo.id, panel)
  const shown = await panel.catch((error: unknown) => {
    opened.delete(demo.id)
    return element('p', { class: 'status', role: 'alert' }, `This page could not be loaded: ${String(error)}`)
  })
  if (chosen() === index) app.replaceChildren(shown)
}
for (const { id, title } of demos) tabs.append(element('a', { href: `#${id}`, role: 'tab' }, title))
tabKeys(tabs, index => {
  location.hash = demos[index]?.id ?? ''
})
addEventListener('hashchange', () => void show())
void show()

/** The choice is kept for the next visit; without one the system's setting holds. */
const themeKey = 'quern-theme'
const kept = localStorage.getItem(themeKey)
if (kept === 'dark' || kept === 'light') document.documentElement.dataset['theme'] = kept

document.querySelector('#theme')?.addEventListener('click', () => {
  const { documentElement: root } = document
  const dark =
    root.dataset['theme'] === 'dark' ||
    (root.dataset['theme'] === undefined && matchMedia('(prefers-color-scheme: dark)').matches)
  root.dataset['theme'] = dark ? 'light' : 'dark'
  localStorage.setItem(themeKey, root.dataset['theme'])
  dispatchEvent(new Event('themechange'))
})
