/** @file Draws what a tab of the code view holds: coloured code, a graph, a memory plan. Loaded when a code view is first seen. */
import hljs from 'highlight.js/lib/core'
import lisp from 'highlight.js/lib/languages/lisp'
import rust from 'highlight.js/lib/languages/rust'
import typescript from 'highlight.js/lib/languages/typescript'
import type { CodeTab } from './code-view.ts'
import { element } from './element.ts'
import { graphView } from './graph-view.ts'
import { memoryView } from './memory-view.ts'

// WGSL is near enough to Rust, and WAT to Lisp, for colours.
hljs.registerLanguage('typescript', typescript)
hljs.registerLanguage('wgsl', rust)
hljs.registerLanguage('wat', lisp)

export const renderCode = ({ language, text }: CodeTab): HTMLElement => {
  if (language === 'graph') return graphView(text)
  if (language === 'memory') return memoryView(text)
  const code = element('code')
  if (language === 'text') code.textContent = text
  else code.innerHTML = hljs.highlight(text, { language }).value
  return element('pre', { tabindex: '0' }, code)
}
