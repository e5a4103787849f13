/** @file Parses plans and lowered programs: the inverse of plan/print.ts. */
import type { Index } from '../index/index-expr.ts'
import { type Layout, rowMajor } from '../layout/layout.ts'
import type { Kernel } from '../loop/kernel.ts'
import type { LoweredProgram, MemoryPlan, Plan, PlanBuffer, PlanBufferKind, Slot, Step, Stream } from '../plan/plan.ts'
import { type Cursor, parseAll } from './cursor.ts'
import { parseConstant } from './parse-attr.ts'
import { parseType } from './parse-graph.ts'
import { parseIndexAt, parseShape } from './parse-index.ts'
import { parseKernelAt } from './parse-kernel.ts'
import { parseSymbols } from './symbols.ts'

export const parsePlan = (text: string): Plan => parseAll(text, parsePlanAt)

export const parseLowered = (text: string): LoweredProgram => parseAll(text, parseLoweredAt)

const parseLoweredAt = (c: Cursor): LoweredProgram => {
  c.expect('program')
  const name = c.name("the program's name")
  c.expect('{')
  const kernels = new Map<string, Kernel>()
  const plans: Plan[] = []
  while (!c.accept('}')) {
    if (c.is('kernel')) {
      const kernel = parseKernelAt(c)
      kernels.set(kernel.name, kernel)
    } else plans.push(parsePlanAt(c))
  }
  return { name, kernels, plans }
}

const bufferKinds = ['input', 'output', 'constant', 'state', 'scratch'] as const satisfies readonly PlanBufferKind[]

const parsePlanAt = (c: Cursor): Plan => {
  c.expect('plan')
  const entry = c.name("the entry's name")
  const symbols = parseSymbols(c)
  c.expect('{')
  const buffers: PlanBuffer[] = []
  while (!c.is('steps') && !c.is('stream')) buffers.push(parseBuffer(c))
  const stream = c.accept('stream') ? parseStream(c) : undefined
  c.expect('steps')
  const steps = parseSteps(c)
  const memory = c.is('memory') ? parseMemory(c) : undefined
  c.expect('}')
  return { entry, symbols, ...(stream !== undefined && { stream }), buffers, steps, memory }
}

const parseStream = (c: Cursor): Stream => {
  const symbol = c.name('a symbol')
  c.expect('by')
  return { symbol, rows: parseIndexAt(c) }
}

const parseBuffer = (c: Cursor): PlanBuffer => {
  const kind = c.oneOf(bufferKinds, 'a buffer or the steps')
  const name = c.name("a buffer's name")
  c.expect(':')
  const { dtype, shape } = parseType(c)
  const layout = c.accept('layout') ? parseLayout(c) : rowMajor(shape)
  const port = c.accept('port') ? c.string('a port') : undefined
  const aliasOf = c.accept('alias') ? c.name('a buffer') : undefined
  const data = c.accept('data') ? parseConstant(c) : undefined
  return {
    name,
    kind,
    dtype,
    shape,
    layout,
    ...(data !== undefined && { data }),
    ...(aliasOf !== undefined && { aliasOf }),
    ...(port !== undefined && { port }),
  }
}

const parseLayout = (c: Cursor): Layout => {
  const map = parseShape(c)
  c.expect('in')
  const shape = parseShape(c)
  const strides = c.accept('strides') ? parseShape(c) : undefined
  const offset = c.accept('offset') ? parseIndexAt(c) : undefined
  return { map, shape, ...(strides !== undefined && { strides }), ...(offset !== undefined && { offset }) }
}

const parseSteps = (c: Cursor): Step[] => {
  c.expect('{')
  const steps: Step[] = []
  while (!c.accept('}')) steps.push(parseStep(c))
  return steps
}

const parseStep = (c: Cursor): Step => {
  const kind = c.oneOf(['kernel', 'copy', 'define', 'if', 'loop'], 'a step')
  switch (kind) {
    case 'kernel': {
      const kernel = c.name('a kernel')
      c.expect('(')
      return { kind, kernel, args: c.list(')', () => c.name('a buffer')) }
    }
    case 'copy': {
      const from = c.name('a buffer')
      c.expect('->')
      return { kind, from, to: c.name('a buffer') }
    }
    case 'define': {
      const symbol = c.name('a symbol')
      c.expect('=')
      return { kind, symbol, from: c.name('a buffer') }
    }
    case 'if': {
      const condition = c.name('a buffer')
      const then = parseSteps(c)
      return { kind, condition, then, else: c.accept('else') ? parseSteps(c) : [] }
    }
    case 'loop': {
      const counter = c.name('a counter')
      const limit = c.accept('upto') ? parseLimit(c) : undefined
      const condition = c.accept('while') ? c.name('a buffer') : undefined
      return { kind, counter, limit, condition, body: parseSteps(c) }
    }
  }
}

const parseLimit = (c: Cursor): Index | string => {
  if (!c.is('buffer') || !c.is('(', 1)) return parseIndexAt(c)
  c.next()
  c.expect('(')
  const buffer = c.name('a buffer')
  c.expect(')')
  return buffer
}

const parseMemory = (c: Cursor): MemoryPlan => {
  c.expect('memory')
  c.expect('{')
  const slots: Slot[] = []
  const slotOf = new Map<string, string>()
  while (c.accept('slot')) {
    const name = c.name('a slot')
    c.expect(':')
    const bytes = parseIndexAt(c)
    c.expect('at')
    const offset = parseIndexAt(c)
    c.expect('holds')
    c.expect('[')
    const tenants = c.list(']', () => c.name('a buffer'))
    for (const tenant of tenants) slotOf.set(tenant, name)
    slots.push({ name, bytes, offset, tenants })
  }
  while (c.accept('place')) {
    const buffer = c.name('a buffer')
    c.expect('in')
    slotOf.set(buffer, c.name('a slot'))
  }
  c.expect('peak')
  const peak = parseIndexAt(c)
  c.expect('bound')
  const lowerBound = parseIndexAt(c)
  c.expect('}')
  return { slots, slotOf, peak, lowerBound }
}
