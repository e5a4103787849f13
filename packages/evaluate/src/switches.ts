/**
 * @file The switches of the environment, all of them; nothing else reads it.
 *
 *   QUERN_DEBUG=1..4[,STAGE]   1: time of each stage; 2: the graph where a pass changed it; 3: every rule that fired; 4: every stage,
 *                              WGSL and WAT included. With a stage's name, only that stage.
 *   QUERN_DUMP=DIR             every stage as a numbered file in DIR/MODEL/TARGET-VARIANT
 *   QUERN_VERIFY=1             verify and re-interpret the graph after every pass
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

export interface Switches {
  readonly level: 0 | 1 | 2 | 3 | 4
  readonly only: string | undefined
  readonly dump: string | undefined
  readonly verify: boolean
}

export const readSwitches = (env: Readonly<Record<string, string | undefined>> = process.env): Switches => {
  const [level = '', only] = (env['QUERN_DEBUG'] ?? '').split(',')
  const levels = new Map<string, Switches['level']>([
    ['1', 1],
    ['2', 2],
    ['3', 3],
    ['4', 4],
  ])
  return {
    level: levels.get(level) ?? 0,
    only,
    dump: env['QUERN_DUMP'] || undefined,
    verify: (env['QUERN_VERIFY'] ?? '0') !== '0',
  }
}

type OnStage = (stage: string, text: string) => void

/** Graph passes print the rules that fired as comments above the graph. */
const rulesOf = (text: string): string =>
  text
    .split('\n')
    .filter(line => line.startsWith('// '))
    .join('\n')

/** A listener for the stages of one compilation; undefined where no switch asks for one. */
export const stageListener = (
  switches: Switches,
  model: string,
  variant: string,
  print: (text: string) => void = console.error,
): OnStage | undefined => {
  const { level, only, dump } = switches
  if (level === 0 && dump === undefined) return undefined
  let count = 0,
    last = performance.now(),
    graphBefore = ''
  return (stage, text) => {
    const now = performance.now()
    const took = now - last
    if (dump !== undefined) {
      const folder = join(dump, model, variant)
      mkdirSync(folder, { recursive: true })
      writeFileSync(join(folder, `${String(count).padStart(2, '0')}-${stage}.txt`), text)
    }
    count++
    if (level >= 1 && (only === undefined || only === stage)) {
      print(`[quern] ${model} ${variant} ${stage}: ${took.toFixed(1)} ms`)
      const isGraph = text.includes('\ngraph ') || text.startsWith('graph ')
      if (level >= 4 || (level >= 2 && isGraph && text !== graphBefore)) print(text)
      else if (level === 3 && rulesOf(text) !== '') print(rulesOf(text))
      if (isGraph) graphBefore = text
    }
    last = performance.now()
  }
}
