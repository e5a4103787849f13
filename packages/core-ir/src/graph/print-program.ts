/** @file The text form of a program of graphs: its states and entries. Parsed by text/parse-program.ts. */
import { printName } from '../text/names.ts'
import { Writer } from '../text/writer.ts'
import type { ProgramGraph } from './graph.ts'
import { printTensorType } from './print-type.ts'
import { printConstant, printGraph } from './print.ts'

/** Sources are named by the constants that lie in them; their bytes do not print. */
export const printProgram = (program: ProgramGraph): string => {
  const w = new Writer()
  w.line(`program ${printName(program.name)} {`)
  w.indented(() => {
    for (const { name, type, init } of program.states)
      w.line(
        `state ${printName(name)}: ${printTensorType(type)}${init === undefined ? '' : ` = ${printConstant(init)}`}`,
      )
    for (const [entry, graph] of program.entries) w.line(`entry ${printName(entry)} = ${printGraph(graph)}`)
  })
  w.line('}')
  return w.finish().text
}
