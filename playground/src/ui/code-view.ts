/** @file A tabbed view of a model's source and of what the compiler made of it. */
import { element } from './element.ts'
import { markTab, tabKeys } from './tab-keys.ts'

export interface CodeTab {
  readonly title: string
  readonly language: 'typescript' | 'wgsl' | 'wat' | 'graph' | 'memory' | 'text'
  readonly text: string
}

export const codeView = (label: string, loaded: Promise<readonly CodeTab[]>): HTMLElement => {
  const panel = element('div', { class: 'code-panel', role: 'tabpanel' })
  const list = element('div', { class: 'code-tabs', role: 'tablist', 'aria-label': label })
  let tabs: readonly CodeTab[] = []
  let shown: CodeTab | undefined
  const show = async (index: number): Promise<void> => {
    const tab = tabs[index]
    if (tab === undefined) return
    shown = tab
    markTab(list, index)
    // The demo does not wait for what draws its code.
    const { renderCode } = await import('./render-code.ts')
    if (shown === tab) panel.replaceChildren(renderCode(tab))
  }
  tabKeys(list, index => void show(index))
  void loaded
    .then(found => {
      tabs = found
      tabs.forEach(({ title }, i) =>
        list.append(element('button', { type: 'button', role: 'tab', onclick: () => void show(i) }, title)),
      )
      return show(0)
    })
    .catch((error: unknown) => panel.replaceChildren(element('p', { role: 'alert' }, String(error))))
  return element('section', { class: 'card code', 'aria-label': label }, list, panel)
}
