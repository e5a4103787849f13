/** @file The text form of plans and lowered programs. Parsed by text/parse-plan.ts. */
import type { Printed } from '../diagnostics/diagnostic.ts'
import { printConstant } from '../graph/print.ts'
import { printShape } from '../graph/print-type.ts'
import { printIndex } from '../index/print.ts'
import { type Layout, isRowMajor } from '../layout/layout.ts'
import { sameIndex } from '../index/index-expr.ts'
import { printKernelLines } from '../loop/print.ts'
import { printName } from '../text/names.ts'
import { printSymbols } from '../text/symbols.ts'
import { Writer } from '../text/writer.ts'
import type { LoweredProgram, MemoryPlan, Plan, PlanBuffer, Step } from './plan.ts'

export const printPlan = (plan: Plan): string => printPlanLines(plan).text

/** With the line of each buffer (`buffer.name`), step (`step.0.then.1`) and slot (`slot.name`). */
export const printPlanLines = (plan: Plan): Printed => {
  const w = new Writer()
  w.line(`plan ${printName(plan.entry)}${printSymbols(plan.symbols)} {`, 'head')
  w.indented(() => {
    for (const buffer of plan.buffers) w.line(printBuffer(buffer), `buffer.${buffer.name}`)
    if (plan.stream !== undefined)
      w.line(`stream ${printName(plan.stream.symbol)} by ${printIndex(plan.stream.rows)}`, 'stream')
    w.line('steps {')
    w.indented(() => printSteps(w, plan.steps, 'step'))
    w.line('}')
    if (plan.memory !== undefined) printMemory(w, plan.memory)
  })
  w.line('}')
  return w.finish()
}

/** Kernels first, as plans name them. */
export const printLowered = (program: LoweredProgram): string => {
  const w = new Writer()
  w.line(`program ${printName(program.name)} {`)
  w.indented(() => {
    for (const kernel of program.kernels.values()) w.line(printKernelLines(kernel).text)
    for (const plan of program.plans) w.line(printPlan(plan))
  })
  w.line('}')
  return w.finish().text
}

const printBuffer = (b: PlanBuffer): string =>
  [
    `${b.kind} ${printName(b.name)}: ${b.dtype}${printShape(b.shape)}`,
    ...(isPlainLayout(b) ? [] : [printLayout(b.layout)]),
    ...(b.port === undefined ? [] : [`port ${JSON.stringify(b.port)}`]),
    ...(b.aliasOf === undefined ? [] : [`alias ${printName(b.aliasOf)}`]),
    ...(b.data === undefined ? [] : [`data ${printConstant(b.data)}`]),
  ].join(' ')

/** Row-major with nothing spelt out: what the parser assumes where no layout is written. */
const isPlainLayout = (b: PlanBuffer): boolean =>
  b.layout.strides === undefined &&
  b.layout.offset === undefined &&
  b.layout.shape.length === b.shape.length &&
  b.layout.shape.every((d, i) => sameIndex(d, b.shape[i] ?? -1)) &&
  isRowMajor(b.layout, b.shape)

/** `layout [d1, d0 // 4, d0 % 4] in [6,2,4] strides [8,4,1] offset 2` */
export const printLayout = (layout: Layout): string =>
  [
    `layout ${printShape(layout.map)} in ${printShape(layout.shape)}`,
    ...(layout.strides === undefined ? [] : [`strides ${printShape(layout.strides)}`]),
    ...(layout.offset === undefined ? [] : [`offset ${printIndex(layout.offset)}`]),
  ].join(' ')

const printSteps = (w: Writer, steps: readonly Step[], path: string): void =>
  steps.forEach((step, i) => printStep(w, step, `${path}.${i}`))

const printStep = (w: Writer, step: Step, path: string): void => {
  const block = (steps: readonly Step[], at: string): void => w.indented(() => printSteps(w, steps, at))
  switch (step.kind) {
    case 'kernel':
      return w.line(`kernel ${printName(step.kernel)}(${step.args.map(printName).join(', ')})`, path)
    case 'copy':
      return w.line(`copy ${printName(step.from)} -> ${printName(step.to)}`, path)
    case 'define':
      return w.line(`define ${printName(step.symbol)} = ${printName(step.from)}`, path)
    case 'if':
      w.line(`if ${printName(step.condition)} {`, path)
      block(step.then, `${path}.then`)
      if (step.else.length > 0) {
        w.line('} else {')
        block(step.else, `${path}.else`)
      }
      return w.line('}')
    case 'loop': {
      const limit =
        step.limit === undefined
          ? ''
          : typeof step.limit === 'string'
            ? ` upto buffer(${printName(step.limit)})`
            : ` upto ${printIndex(step.limit)}`
      const condition = step.condition === undefined ? '' : ` while ${printName(step.condition)}`
      w.line(`loop ${printName(step.counter)}${limit}${condition} {`, path)
      block(step.body, path)
      return w.line('}')
    }
  }
}

const printMemory = (w: Writer, memory: MemoryPlan): void => {
  w.line('memory {', 'memory')
  w.indented(() => {
    for (const s of memory.slots)
      w.line(
        `slot ${printName(s.name)}: ${printIndex(s.bytes)} at ${printIndex(s.offset)} holds [${s.tenants.map(printName).join(', ')}]`,
        `slot.${s.name}`,
      )
    // Tenants are placed by their slot's line; what else has a slot is listed.
    const tenants = new Set(memory.slots.flatMap(s => s.tenants))
    for (const [buffer, slot] of memory.slotOf)
      if (!tenants.has(buffer)) w.line(`place ${printName(buffer)} in ${printName(slot)}`)
    w.line(`peak ${printIndex(memory.peak)}`)
    w.line(`bound ${printIndex(memory.lowerBound)}`)
  })
  w.line('}')
}
