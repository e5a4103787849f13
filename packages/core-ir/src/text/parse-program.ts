/** @file Parses programs of graphs: the inverse of graph/print-program.ts. */
import type { ByteSource, Graph, ProgramGraph, StateDecl } from '../graph/graph.ts'
import { parseAll } from './cursor.ts'
import { parseConstant } from './parse-attr.ts'
import { parseGraphAt, parseType } from './parse-graph.ts'

/** `sources` hold the bytes that the program's constants name. */
export const parseProgram = (text: string, sources: ReadonlyMap<string, ByteSource> = new Map()): ProgramGraph =>
  parseAll(text, c => {
    c.expect('program')
    const name = c.name("the program's name")
    c.expect('{')
    const states: StateDecl[] = []
    const entries = new Map<string, Graph>()
    while (!c.accept('}')) {
      if (c.accept('state')) {
        const state = c.name("the state's name")
        c.expect(':')
        const type = parseType(c)
        states.push({ name: state, type, init: c.accept('=') ? parseConstant(c) : undefined })
        continue
      }
      c.expect('entry')
      const token = c.peek()
      const entry = c.name("the entry's name")
      if (entries.has(entry)) throw c.error(`the entry ${entry} is defined twice`, token, 'graph/defined-twice')
      c.expect('=')
      entries.set(entry, parseGraphAt(c))
    }
    return { name, entries, states, sources }
  })
