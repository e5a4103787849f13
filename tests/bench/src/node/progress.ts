/** @file One line that tells how far the run is. */
export interface Progress {
  say(text: string): void
  /** Ends the line, so that what follows stands below it. */
  end(): void
}

export const openProgress = (): Progress => {
  const { stderr } = process
  let last = ''
  return {
    say(text) {
      if (text === last) return
      last = text
      if (stderr.isTTY) stderr.write(`\r\u001B[K${text.slice(0, stderr.columns - 1)}`)
      // A log gets a line a workload, not one for everything that happens in it.
      else if (!text.includes(': ')) stderr.write(`${text}\n`)
    },
    end() {
      if (stderr.isTTY) stderr.write('\r\u001B[K')
    },
  }
}
