/** @file The memory plan of a model as a table: which values share a slot, and how large it is. */
import { element } from './element.ts'

const cell = (text: string): HTMLElement => element('td', {}, element('code', {}, text))

/** The text form of a plan's memory, entry by entry; a line that is not understood stays a line. */
export const memoryView = (text: string): HTMLElement => {
  const view = element('div', { class: 'memory', tabindex: '0' })
  let rows: HTMLElement | undefined
  for (const line of text.split('\n').filter(l => l.trim() !== '')) {
    const [, entry, peak, bound] = /^(\S+): peak (.*) bytes, live-set lower bound (.*) bytes$/.exec(line) ?? []
    const [, sizes, bytes, times] = /^\s+(?:at (.*): )?(\d+) bytes, ([\d.]+) of the bound$/.exec(line) ?? []
    const [, slot, size, offset, tenants] = /^\s+(\S+): (.*) bytes at (.*): (.*)$/.exec(line) ?? []
    if (peak !== undefined) {
      view.append(
        element('h3', {}, `Entry ${entry}`),
        element('p', {}, 'Peak: ', element('code', {}, peak), ' bytes.'),
        element('p', {}, 'No plan needs less than ', element('code', {}, bound ?? ''), ' bytes.'),
      )
      rows = element('tbody')
      const head = ['Slot', 'Values that take turns in it', 'Bytes', 'From byte'].map(t =>
        element('th', { scope: 'col' }, t),
      )
      view.append(element('table', {}, element('thead', {}, element('tr', {}, ...head)), rows))
    } else if (bytes !== undefined && rows !== undefined)
      rows.parentElement?.before(
        element(
          'p',
          {},
          ...(sizes === undefined ? [] : ['At ', element('code', {}, sizes), ': ']),
          `${bytes} bytes, ${times} times that.`,
        ),
      )
    else if (slot !== undefined && rows !== undefined)
      rows.append(element('tr', {}, cell(slot), cell(tenants ?? ''), cell(size ?? ''), cell(offset ?? '')))
    else view.append(element('pre', {}, line))
  }
  return view
}
