/** @file Parses kernels: the inverse of loop/print.ts. */
import type { DType } from '@quern/artifact'
import type { AccumulateOp, AllocSpace, AxisTag, BufferDecl, Kernel, Param, Stmt } from '../loop/kernel.ts'
import { type Cursor, parseAll } from './cursor.ts'
import { parseIndexAt, parseShape } from './parse-index.ts'
import { parseScalarAt } from './parse-scalar.ts'
import { parseRange } from './symbols.ts'

export const parseKernel = (text: string): Kernel => parseAll(text, parseKernelAt)

export const parseKernelAt = (c: Cursor): Kernel => {
  c.expect('kernel')
  const name = c.name("the kernel's name")
  const symbols = c.accept('<') ? c.list('>', () => parseRange(c)) : []
  c.expect('(')
  const params: Param[] = []
  while (!c.accept(')')) {
    const access = c.oneOf(['read_write', 'read', 'write'], 'what the kernel does with the buffer')
    params.push({ access, ...parseDecl(c) })
    if (!c.is(')')) c.expect(',')
  }
  c.expect('{')
  const origins = c.originsHere()
  const body = parseBlock(c, new Map(params.map(p => [p.name, p.dtype])))
  return { name, symbols, params, body, origins }
}

type Scope = ReadonlyMap<string, DType>

const parseDecl = (c: Cursor): BufferDecl => {
  const name = c.name("a buffer's name")
  c.expect(':')
  const dtype = c.dtype()
  const shape = parseShape(c)
  const strides = c.accept('strides') ? parseShape(c) : undefined
  const offset = c.accept('offset') ? parseIndexAt(c) : undefined
  return { name, dtype, shape, ...(strides !== undefined && { strides }), ...(offset !== undefined && { offset }) }
}

/** Behind `{`, up to and with `}`. */
const parseBlock = (c: Cursor, outer: Scope): Stmt[] => {
  const scope = new Map(outer)
  const stmts: Stmt[] = []
  while (!c.accept('}')) {
    const stmt = parseStmt(c, scope)
    if (stmt.kind === 'alloc') scope.set(stmt.buffer.name, stmt.buffer.dtype)
    if (stmt.kind === 'let') scope.set(stmt.name, stmt.value.dtype)
    stmts.push(stmt)
  }
  return stmts
}

const kinds = ['for', 'alloc', 'let', 'store', 'accumulate', 'if', 'fail', 'barrier'] as const
const spaces = ['register', 'shared', 'private'] as const satisfies readonly AllocSpace[]
const accumulators = ['sum', 'prod', 'max', 'min', 'any', 'all'] as const satisfies readonly AccumulateOp[]

const parseStmt = (c: Cursor, scope: Scope): Stmt => {
  const dtypeOf = (name: string): DType | undefined => scope.get(name)
  const kind = c.oneOf(kinds, 'a statement')
  switch (kind) {
    case 'for': {
      const tag = parseTag(c)
      const axis = c.name('an axis')
      c.expect('<')
      const extent = parseIndexAt(c, dtypeOf)
      c.expect('{')
      return { kind, axis, extent, tag, body: parseBlock(c, scope) }
    }
    case 'alloc':
      return { kind, space: c.oneOf(spaces, 'a memory space'), buffer: parseDecl(c) }
    case 'let': {
      const name = c.name('a name')
      c.expect('=')
      return { kind, name, value: parseScalarAt(c, dtypeOf) }
    }
    case 'store': {
      const buffer = c.name('a buffer')
      const indices = parseShape(c, dtypeOf)
      c.expect('=')
      return { kind, buffer, indices, value: parseScalarAt(c, dtypeOf) }
    }
    case 'accumulate': {
      const buffer = c.name('a buffer')
      const indices = parseShape(c, dtypeOf)
      const reducer = c.oneOf(accumulators, 'how to accumulate')
      c.expect('=')
      return { kind, buffer, indices, reducer, value: parseScalarAt(c, dtypeOf) }
    }
    case 'if': {
      const condition = parseScalarAt(c, dtypeOf)
      c.expect('{')
      const then = parseBlock(c, scope)
      const otherwise = c.accept('else') ? (c.expect('{'), parseBlock(c, scope)) : []
      return { kind, condition, then, else: otherwise }
    }
    case 'fail': {
      const reason = c.dashed(['index-out-of-range', 'loop-limit'], 'a reason')
      c.expect('at')
      return { kind, reason, at: parseIndexAt(c, dtypeOf) }
    }
    case 'barrier':
      return { kind }
  }
}

const simpleTags = ['unroll', 'vector', 'parallel', 'serial'] as const satisfies readonly AxisTag[]
const gpuTags = ['workgroup', 'thread'] as const
const gpuDims = ['x', 'y', 'z'] as const

/** A tag may be an axis's name too: it is one where `<` follows. */
const parseTag = (c: Cursor): AxisTag => {
  const gpu = gpuTags.find(t => c.is(t) && c.is('.', 1))
  if (gpu !== undefined) {
    c.next()
    c.next()
    return `${gpu}.${c.oneOf(gpuDims, 'a dimension')}`
  }
  const simple = simpleTags.find(t => c.is(t) && !c.is('<', 1))
  if (simple !== undefined) c.next()
  return simple ?? 'serial'
}
