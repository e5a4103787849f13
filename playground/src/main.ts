/** @file The playground's entry: one tab a demo, chosen by the address's hash. */
import './style.css'
import { benchDemo } from './demos/bench.ts'
import { digitsDemo } from './demos/digits.ts'
import { sincosDemo } from './demos/sincos.ts'
import { element } from './ui/element.ts'

const demos = [
  { id: 'sincos', title: 'sin + cos', open: sincosDemo },
  { id: 'digits', title: 'Digits', open: digitsDemo },
  { id: 'bench', title: 'Benchmarks', open: benchDemo },
] as const

const app = document.querySelector('#app') as HTMLElement
const tabs = document.querySelector('#tabs') as HTMLElement
const opened = new Map<string, HTMLElement>()

const show = (): void => {
  const demo = demos.find(d => `#${d.id}` === location.hash) ?? demos[0]
  const panel = opened.get(demo.id) ?? demo.open()
  opened.set(demo.id, panel)
  app.replaceChildren(panel)
  tabs.querySelectorAll('a').forEach(a => a.setAttribute('aria-selected', String(a.hash === `#${demo.id}`)))
}
for (const { id, title } of demos) tabs.append(element('a', { href: `#${id}`, role: 'tab' }, title))
addEventListener('hashchange', show)
show()

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
