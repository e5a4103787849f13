/** @file A tabbed view of a model's source and of what the compiler made of it. */
import hljs from 'highlight.js/lib/core'
import lisp from 'highlight.js/lib/languages/lisp'
import rust from 'highlight.js/lib/languages/rust'
import typescript from 'highlight.js/lib/languages/typescript'
import { element } from './element.ts'
import { graphView } from './graph-view.ts'

// WGSL is near enough to Rust, and WAT to Lisp, for colours.
hljs.registerLanguage('typescript', typescript)
hljs.registerLanguage('wgsl', rust)
hljs.registerLanguage('wat', lisp)

export interface CodeTab {
  readonly title: string
  readonly language: 'typescript' | 'wgsl' | 'wat' | 'graph' | 'text'
  readonly text: string
}

const render = ({ language, text }: CodeTab): HTMLElement => {
  if (language === 'graph') return graphView(text)
  const code = element('code')
  if (language === 'text') code.textContent = text
  else code.innerHTML = hljs.highlight(text, { language }).value
  return element('pre', { tabindex: '0' }, code)
}

export const codeView = (label: string, tabs: readonly CodeTab[]): HTMLElement => {
  const panel = element('div', { class: 'code-panel', role: 'tabpanel' })
  const list = element('div', { class: 'code-tabs', role: 'tablist', 'aria-label': label })
  const show = (index: number): void => {
    const tab = tabs[index]
    if (tab === undefined) return
    list.querySelectorAll('button').forEach((b, i) => {
      b.setAttribute('aria-selected', String(i === index))
      b.tabIndex = i === index ? 0 : -1
    })
    panel.replaceChildren(render(tab))
  }
  tabs.forEach((tab, i) =>
    list.append(element('button', { type: 'button', role: 'tab', onclick: () => show(i) }, tab.title)),
  )
  list.addEventListener('keydown', event => {
    const step = event.key === 'ArrowRight' ? 1 : event.key === 'ArrowLeft' ? -1 : 0
    if (step === 0) return
    const buttons = [...list.querySelectorAll('button')]
    const at = buttons.findIndex(b => b.getAttribute('aria-selected') === 'true')
    const next = (at + step + buttons.length) % buttons.length
    show(next)
    buttons[next]?.focus()
  })
  show(0)
  return element('section', { class: 'card code', 'aria-label': label }, list, panel)
}
