/** @file Small pieces of WebAssembly text: constants with folding, and names that are safe to print. */

export type WasmType = 'i32' | 'i64' | 'f32' | 'f64' | 'v128'

export const i32 = (value: number): string => `(i32.const ${value | 0})`
export const get = (name: string): string => `(local.get ${name})`

/** The value of an i32 constant's text, or undefined. */
export const constantOf = (expr: string): number | undefined => {
  const match = /^\(i32\.const (-?\d+)\)$/.exec(expr)
  return match === null ? undefined : Number(match[1])
}

export const addI32 = (a: string, b: string): string => {
  const x = constantOf(a),
    y = constantOf(b)
  if (x !== undefined && y !== undefined) return i32(x + y)
  if (x === 0) return b
  if (y === 0) return a
  if (y !== undefined && y < 0) return `(i32.sub ${a} ${i32(-y)})`
  return `(i32.add ${a} ${b})`
}

export const mulI32 = (a: string, b: string): string => {
  const x = constantOf(a),
    y = constantOf(b)
  if (x !== undefined && y !== undefined) return i32(Math.imul(x, y))
  if (x === 0 || y === 0) return i32(0)
  if (x === 1) return b
  if (y === 1) return a
  if (x !== undefined) return scaleI32(b, x)
  if (y !== undefined) return scaleI32(a, y)
  return `(i32.mul ${a} ${b})`
}

const scaleI32 = (a: string, by: number): string =>
  by > 0 && (by & (by - 1)) === 0 ? `(i32.shl ${a} ${i32(Math.log2(by))})` : `(i32.mul ${a} ${i32(by)})`

/** A name for people as the body of a WAT identifier. */
export const safeName = (name: string): string => name.replaceAll(/[^A-Za-z0-9_.]/g, '_') || '_'

/** Text for a comment: on one line, and unable to end it. */
export const safeComment = (text: string): string => text.replaceAll(/[\r\n]+/g, ' ').replaceAll(/[^\x20-\x7e]/g, '?')

/** Hands out names of one scope, each once. */
export class Names {
  private readonly taken = new Set<string>()
  fresh(hint: string): string {
    const base = safeName(hint)
    let name = base
    for (let i = 1; this.taken.has(name); i++) name = `${base}_${i}`
    this.taken.add(name)
    return `$${name}`
  }
}
