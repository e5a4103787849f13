/** @file Schedule errors in three parts: what is wrong, why, and the place underlined in the printed kernel. */
import { QuernError } from '@quern/artifact'
import { type Kernel, printKernel } from '@quern/core-ir'

/** Lines of the printed kernel that are shown around the place. */
const contextLines = 3

/** `schedule/<primitive>-<reason>`; `place` is the axis or buffer it is about. */
export const scheduleError = (
  kernel: Kernel,
  primitive: string,
  reason: string,
  message: string,
  place?: string,
  details: Readonly<Record<string, unknown>> = {},
): QuernError => {
  const frame = place === undefined ? '' : underline(printKernel(kernel), place)
  return new QuernError(`schedule/${primitive}-${reason}`, `${message}${frame === '' ? '' : `\n${frame}`}`, {
    kernel: kernel.name,
    ...(place !== undefined && { place }),
    ...details,
  })
}

const escape = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')

/** The lines around the loop, alloc, param or let of this name, with a caret line under it. */
const underline = (text: string, place: string): string => {
  const lines = text.split('\n')
  const binder = new RegExp(`^\\s*(?:(?:for|let|alloc|read|write|read_write)\\b(?: [a-z.]+)? )(${escape(place)})\\b`)
  let at = lines.findIndex(line => binder.test(line))
  if (at < 0) at = lines.findIndex(line => new RegExp(`\\b${escape(place)}\\b`).test(line))
  const line = lines[at]
  if (line === undefined) return ''
  const match = binder.exec(line)
  const column = match === null ? line.search(new RegExp(`\\b${escape(place)}\\b`)) : match[0].length - place.length
  const first = Math.max(0, at - contextLines),
    last = Math.min(lines.length - 1, at + contextLines)
  const width = `${last + 1}`.length
  const out: string[] = []
  for (let i = first; i <= last; i++) {
    out.push(`  ${`${i + 1}`.padStart(width)} | ${lines[i] ?? ''}`)
    if (i === at) out.push(`  ${' '.repeat(width)} | ${' '.repeat(column)}${'^'.repeat(place.length)}`)
  }
  return out.join('\n')
}
