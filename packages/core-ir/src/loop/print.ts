/** @file The text form of kernels. Parsed by text/parse-kernel.ts. */
import type { DType } from '@quern/artifact'
import type { Printed } from '../diagnostics/diagnostic.ts'
import type { Index } from '../index/index-expr.ts'
import { printIndex } from '../index/print.ts'
import { type DTypeOf, printIndices, printScalar } from '../scalar/print.ts'
import { printName } from '../text/names.ts'
import { printOrigin } from '../text/origin.ts'
import { printRange } from '../text/symbols.ts'
import { Writer } from '../text/writer.ts'
import type { BufferDecl, Kernel, Stmt } from './kernel.ts'

export const printKernel = (kernel: Kernel): string => printKernelLines(kernel).text

/** With the line of each statement: `0.2.else.1` is the path of statements into the body. */
export const printKernelLines = (kernel: Kernel): Printed => {
  const w = new Writer()
  const symbols = kernel.symbols.length === 0 ? '' : `<${kernel.symbols.map(printRange).join(', ')}>`
  w.line(`kernel ${printName(kernel.name)}${symbols}(`, 'head')
  w.indented(() => {
    kernel.params.forEach((p, i) => w.line(`${p.access} ${printDecl(p)},`, `param.${i}`))
  })
  w.line(') {')
  const scope = new Map<string, DType>(kernel.params.map(p => [p.name, p.dtype]))
  w.indented(() => {
    for (const origin of kernel.origins) w.line(`// ${printOrigin(origin)}`)
    kernel.body.forEach((s, i) => printStmt(w, s, `${i}`, scope))
  })
  w.line('}')
  return w.finish()
}

/** A statement with what is inside it, for messages. */
export const printStatement = (stmt: Stmt, dtypeOf: DTypeOf = () => undefined): string => {
  const w = new Writer()
  printStmt(w, stmt, '', new Map(), dtypeOf)
  return w.finish().text
}

export const printDecl = (b: BufferDecl): string => {
  const strides = b.strides === undefined ? '' : ` strides ${printShapeOf(b.strides)}`
  const offset = b.offset === undefined ? '' : ` offset ${index(b.offset, () => undefined)}`
  return `${printName(b.name)}: ${b.dtype}${printShapeOf(b.shape)}${strides}${offset}`
}
const printShapeOf = (shape: readonly Index[]): string => `[${shape.map(i => printIndex(i)).join(',')}]`
const index = (x: Index, dtypeOf: DTypeOf): string => printIndex(x, s => printScalar(s, dtypeOf))

/** Names come into scope as they are printed, as they do when parsed; inner scopes are dropped at their end. */
const printStmt = (
  w: Writer,
  stmt: Stmt,
  path: string,
  scope: Map<string, DType>,
  outer: DTypeOf = () => undefined,
): void => {
  const dtypeOf: DTypeOf = name => scope.get(name) ?? outer(name)
  const block = (stmts: readonly Stmt[], at: string): void => {
    const inner = new Map(scope)
    w.indented(() => stmts.forEach((s, i) => printStmt(w, s, `${at}.${i}`, inner, outer)))
  }
  switch (stmt.kind) {
    case 'for': {
      const tag = stmt.tag === 'serial' ? '' : `${stmt.tag} `
      w.line(`for ${tag}${printName(stmt.axis)} < ${index(stmt.extent, dtypeOf)} {`, path)
      block(stmt.body, path)
      return w.line('}')
    }
    case 'alloc':
      scope.set(stmt.buffer.name, stmt.buffer.dtype)
      return w.line(`alloc ${stmt.space} ${printDecl(stmt.buffer)}`, path)
    case 'let':
      w.line(`let ${printName(stmt.name)} = ${printScalar(stmt.value, dtypeOf)}`, path)
      scope.set(stmt.name, stmt.value.dtype)
      return
    case 'store':
      return w.line(`store ${access(stmt, dtypeOf)} = ${printScalar(stmt.value, dtypeOf)}`, path)
    case 'accumulate':
      return w.line(`accumulate ${access(stmt, dtypeOf)} ${stmt.reducer}= ${printScalar(stmt.value, dtypeOf)}`, path)
    case 'if':
      w.line(`if ${printScalar(stmt.condition, dtypeOf)} {`, path)
      block(stmt.then, `${path}.then`)
      if (stmt.else.length > 0) {
        w.line('} else {')
        block(stmt.else, `${path}.else`)
      }
      return w.line('}')
    case 'fail':
      return w.line(`fail ${stmt.reason} at ${index(stmt.at, dtypeOf)}`, path)
    case 'barrier':
      return w.line('barrier', path)
  }
}

const access = (s: { readonly buffer: string; readonly indices: readonly Index[] }, dtypeOf: DTypeOf): string =>
  `${printName(s.buffer)}${printIndices(s.indices, dtypeOf)}`
