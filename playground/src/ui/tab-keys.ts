/** @file The keys of a tab list: arrows, Home and End move to a tab and show it; only the shown one is a stop of the Tab key. */

export const tabKeys = (list: HTMLElement, show: (index: number) => void): void => {
  list.addEventListener('keydown', event => {
    const tabs = [...list.querySelectorAll<HTMLElement>('[role=tab]')]
    const at = tabs.findIndex(t => t.getAttribute('aria-selected') === 'true')
    const targets: Readonly<Record<string, number>> = {
      ArrowRight: (at + 1) % tabs.length,
      ArrowLeft: (at - 1 + tabs.length) % tabs.length,
      Home: 0,
      End: tabs.length - 1,
      // A link answers to Enter only.
      ' ': tabs.findIndex(t => t === document.activeElement),
    }
    const next = targets[event.key]
    if (next === undefined || next < 0) return
    event.preventDefault()
    show(next)
    tabs[next]?.focus()
  })
}

export const markTab = (list: HTMLElement, index: number): void =>
  list.querySelectorAll<HTMLElement>('[role=tab]').forEach((tab, i) => {
    tab.setAttribute('aria-selected', String(i === index))
    tab.tabIndex = i === index ? 0 : -1
  })
