/** @file Instrumented code does what the code did, and says where each call stands. */
import { SourceMap } from 'node:module'
import { transformSync } from 'rolldown/utils'
import { describe, expect, it } from 'vitest'
import type { Span } from '@quern/core-ir'
import { instrument } from './instrument.ts'

const options = {
  file: '/app/a.model.ts',
  url: 'file:///app/a.model.ts',
  dirname: '/app',
  calls: true,
  instrumented: 'origin',
}
const marker = `import * as $quern from "origin";`

/** Runs a module's body, with the spans of the calls that ran; `result` is what it leaves there. */
const run = (code: string): { result: unknown; spans: Span[] } => {
  const spans: Span[] = []
  const call =
    (span: Span, f: (...args: unknown[]) => unknown) =>
    (...args: unknown[]): unknown => {
      spans.push(span)
      return f(...args)
    }
  const $quern = {
    call,
    condition: (_: Span, x: unknown) => x,
    callMethod: (span: Span, object: Record<string, (...args: unknown[]) => unknown>, name: string) =>
      call(span, (...args) => object[name]?.(...args)),
  }
  const plain = transformSync('a.ts', code.replace(marker, ''), { lang: 'ts' }).code.replaceAll(/^export /gm, '')
  // oxlint-disable-next-line no-new-func
  return { result: new Function('$quern', `${plain}\nreturn result`)($quern) as unknown, spans }
}
const both = (code: string): { result: unknown; spans: Span[]; code: string } => {
  const done = instrument(code, options)
  if (done === undefined) throw new Error('nothing was instrumented')
  const after = run(done.code)
  expect(after.result).toEqual(run(code).result)
  return { ...after, code: done.code }
}

describe('instrument keeps what the code does', () => {
  it.each([
    [
      'functions and methods',
      'const f = (x: number) => x + 1; const o = { n: 2, m(x: number) { return this.n * x } }; const result = [f(1), o.m(3), o["m"](4)]',
      3,
    ],
    [
      'generics and assertions',
      'const f = <T>(x: T): T => x; const result = [f<number>(1), (f as (x: number) => number)(2), f!(3)]',
      3,
    ],
    [
      'what the language brings goes as it is, and what it is given does not',
      'const f = (x: number) => x + 1; const result = [Math.sqrt(f(3)), ...Float32Array.from([1], x => f(x)), Number(2)]',
      2,
    ],
    [
      'parentheses and `!` keep `this`',
      'const o = { n: 2, m() { return this.n } }; const result = [(o.m)(), o.m!(), (o as { m(): number }).m()]',
      1,
    ],
    [
      'optional chains',
      'const o: any = undefined, p: any = { q: () => ({ r: (x: number) => x }) }; const result = [o?.a.b(1), o?.(2), p?.q().r(3), p.q?.().r(4)]',
      0,
    ],
    [
      'calls in the arguments of a chain',
      'const f = (x: number) => x, p: any = { q: (x: number) => x }; const result = p?.q(f(1))',
      1,
    ],
    [
      'super, private and new',
      'class A { #p() { return 1 } q() { return this.#p() } } class B extends A { constructor() { super() } q() { return super.q() + 1 } } const result = new B().q()',
      1,
    ],
    ['results of calls', 'const f = (x: number) => (y: number) => x + y; const result = f(1)(2)', 2],
    [
      'comments between the parts',
      'const o = { m: (x: number) => x }; const result = o /* a */ . /* b */ m /* c */ (1)',
      1,
    ],
    [
      'computed names with effects',
      'let i = 0; const o = { a: () => "a", b: () => "b" } as any; const result = o["ab"[i++]](); ',
      1,
    ],
    ['no semicolons', 'let a = 1\nconst f = () => a\nf()\n;[1, 2].map(x => (a += x))\nconst result = a', 2],
    ['emoji before a call', 'const s = "😀", f = (x: string) => x + s; const result = f("ü")', 1],
    ['callbacks and templates', 'const f = (x: number) => x * 2; const result = `${[1, 2].map(x => f(x)).join()}`', 4],
  ])('%s', (_, code, calls) => {
    if (calls === 0) expect(instrument(code, options)).toBeUndefined()
    else expect(both(code).spans).toHaveLength(calls)
  })
})

describe('conditions', () => {
  /** What `condition` was asked of, beside what the code gives. */
  const asked = (code: string): readonly string[] => {
    const done = instrument(code, options)
    const seen: string[] = []
    const lines = code.split('\n')
    const $quern = {
      call: (_: Span, f: unknown) => f,
      callMethod: (_: Span, o: Record<string, (...args: unknown[]) => unknown>, name: string) => o[name]?.bind(o),
      condition: ({ line, column, length = 1 }: Span, x: unknown) => {
        seen.push(lines[line - 1]?.slice(column - 1, column - 1 + length) ?? '')
        return x
      },
    }
    const plain = transformSync('a.ts', (done?.code ?? code).replace(marker, ''), { lang: 'ts' }).code
    // oxlint-disable-next-line no-new-func
    const result: unknown = new Function('$quern', `${plain}\nreturn result`)($quern)
    expect(result).toEqual(run(code).result)
    return seen
  }
  it.each([
    ['let result = 0, a = 1; if (a) result = 2', ['a']],
    ['const a = 0, result = a ? 1 : 2', ['a']],
    ['let result = 3; while (result) result--', ['result', 'result', 'result', 'result']],
    ['let result = 2; do result--; while (result)', ['result', 'result']],
    ['let result = 0; for (let i = 2; i; i--) result++', ['i', 'i', 'i']],
    ['const a = [0], result = !a[0]', ['a[0]']],
    ['const f = () => 1, result = !f()', ['f()']],
    ['const a = 1, b = 0, result = a && b', ['a']],
    ['const a = 0, b = 2, result = (a as number) || b', ['(a as number)']],
    ['const a = 1, b = 0; let result = 1; if (a && b) result = 2', ['a', 'a && b']],
    ['const a: any = { b: { c: 1 } }, result = a?.b.c ? 1 : 2', ['a?.b.c']],
    ['let a = 0, result = 0; if ((a = 2)) result = a', ['(a = 2)']],
    ['const a = undefined, result = a ?? 3', []],
    ['let result = 0; if (1 < 2) result = 3', []],
    ['let result = 0; for (;;) { result = 1; break }', []],
    ['let result = 0; if (import.meta.url) result = 1', []],
  ])('%s', (code, conditions) => {
    if (code.includes('import.meta')) expect(instrument(code, options)?.code).toContain('if ("file:///app/a.model.ts")')
    else expect(asked(code)).toEqual(conditions)
  })
  it('are left alone where calls are', () => {
    expect(instrument('if (a) b', { ...options, calls: false })).toBeUndefined()
  })
})

describe('spans', () => {
  const f =
    'const f = (...a: unknown[]) => a, nn = { relu: f, deep: { f } }, o = { add: (x: unknown) => x, then: () => o }\n'
  const spansOf = (line: string): unknown[] =>
    both(`${f}${line}`).spans.map(({ line: row, column, length, name }) => [row, column, length, name])

  it.each([
    ['const hidden = f(1); const result = 0', [[2, 16, 1, 'hidden']]],
    ['let h; h = nn.relu(1); const result = 0', [[2, 12, 7, 'h']]],
    [
      'const result = { probs: nn.relu(f(1)) }',
      [
        [2, 33, 1, undefined],
        [2, 25, 7, 'probs'],
      ],
    ],
    ['const y = (f(1) as unknown)!; const result = 0', [[2, 12, 1, 'y']]],
    [
      'const result = o.then().add(nn.deep.f(1))',
      [
        [2, 16, 6, undefined],
        [2, 29, 9, undefined],
        [2, 25, 3, 'result'],
      ],
    ],
  ])('%s', (line, expected) => {
    expect(spansOf(line)).toEqual(expected)
  })

  it('count lines of every ending', () => {
    const code = 'const f = () => 1\r\nconst a = f()\rconst b = f()\n\nconst result = f()'
    expect(both(code).spans.map(s => [s.line, s.column, s.name])).toEqual([
      [2, 11, 'a'],
      [3, 11, 'b'],
      [5, 16, 'result'],
    ])
  })

  it('are kept by the source map', () => {
    const code = 'const f = (x: any) => x.a.b\nconst h = f({})\n'
    const done = instrument(code, options)
    const [first = '', second = ''] = done?.code.split('\n') ?? []
    const map = new SourceMap({ ...JSON.parse(done?.map.toString() ?? ''), sourceRoot: '', file: '' })
    const at = (line: number, column: number): unknown => {
      const entry = map.findEntry(line, column)
      return 'originalLine' in entry ? [entry.originalLine, entry.originalColumn] : undefined
    }
    expect(at(0, first.indexOf('x.a'))).toEqual([0, 22])
    expect(at(1, second.indexOf('({})'))).toEqual([1, 11])
  })
})

describe('import.meta', () => {
  it('is that of the original file, and the files it names are known', () => {
    const done = instrument(
      `export const w = [new URL('./w.bin', import.meta.url), import.meta.dirname, import.meta.filename, import.meta.env]\nnew URL(x, import.meta.url); new URL('./b', y)`,
      { ...options, calls: false },
    )
    expect(done?.urls).toEqual(['./w.bin'])
    expect(done?.code).toContain(
      `[new URL('./w.bin', "file:///app/a.model.ts"), "/app", "/app/a.model.ts", import.meta.env]`,
    )
    expect(done?.code).not.toContain('$quern')
  })
  it('leaves what the parser refuses to the bundler', () => {
    expect(instrument('const = 1', options)).toBeUndefined()
  })
})
