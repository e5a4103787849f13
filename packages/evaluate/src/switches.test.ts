/** @file What each switch of the environment does. */
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { readSwitches, stageListener } from './switches.ts'

const stages = [
  ['graph', 'graph g() {}'],
  ['canonicalise', '// add-zero at add\ngraph g() {}'],
  ['dead-code', '// add-zero at add\ngraph g() {}'],
  ['wat', '(module)'],
] as const
const printed = (setting: string): string[] => {
  const lines: string[] = []
  const listen = stageListener(readSwitches({ QUERN_DEBUG: setting }), 'net', 'wasm-plain', text =>
    lines.push(text.replace(/[\d.]+ ms/, '… ms')),
  )
  for (const [stage, text] of stages) listen?.(stage, text)
  return lines
}

describe('switches', () => {
  it('are off by default', () => {
    expect(readSwitches({})).toEqual({ level: 0, only: undefined, dump: undefined, verify: false })
    expect(stageListener(readSwitches({}), 'net', 'wasm')).toBeUndefined()
  })
  it.each(['', '0', '5', 'on', 'toString'])('QUERN_DEBUG=%s is none', level =>
    expect(readSwitches({ QUERN_DEBUG: level }).level).toBe(0),
  )
  it('1 prints times', () => expect(printed('1')).toEqual(stages.map(([s]) => `[quern] net wasm-plain ${s}: … ms`)))
  it('2 prints graphs that changed', () =>
    expect(printed('2').filter(l => !l.startsWith('[quern]'))).toEqual([stages[0][1], stages[1][1]]))
  it('4 prints everything, of one stage if named', () =>
    expect(printed('4,wat')).toEqual(['[quern] net wasm-plain wat: … ms', '(module)']))
  it('dumps numbered files', () => {
    const folder = mkdtempSync(join(tmpdir(), 'quern-dump-'))
    const listen = stageListener(readSwitches({ QUERN_DUMP: folder }), 'net', 'wasm-plain')
    for (const [stage, text] of stages) listen?.(stage, text)
    expect(readdirSync(join(folder, 'net/wasm-plain'))).toEqual([
      '00-graph.txt',
      '01-canonicalise.txt',
      '02-dead-code.txt',
      '03-wat.txt',
    ])
    expect(readFileSync(join(folder, 'net/wasm-plain/03-wat.txt'), 'utf8')).toBe('(module)')
    rmSync(folder, { recursive: true })
  })
})
