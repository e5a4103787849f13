/** @file The README's example runs, and the text it shows is the text that comes out. */
import { readFileSync } from 'node:fs'
import { parseLowered } from '@quern/core-ir'
import { expect, test } from 'vitest'
import { assemble } from './assemble.ts'
import { type EmittedWasm, emitWasm } from './emit-wasm.ts'

const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8')
const block = (language: string): string => new RegExp(`\`\`\`${language}\\n([^]*?)\`\`\``).exec(readme)?.[1] ?? ''
const squeezed = (text: string): string => text.replaceAll(/\s+/g, ' ').trim()

test('a kernel to .wasm in ten lines', async () => {
  const lines = block('ts')
    .split('\n')
    .filter(l => l !== '' && !l.startsWith('import'))
  expect(lines.length).toBeLessThanOrEqual(10)
  const run = new Function(
    'parseLowered',
    'emitWasm',
    'assemble',
    `return (async () => { ${lines.join('\n')}; return { wat, wasm, layout, entries } })()`,
  )
  const { wat, wasm, layout, entries }: Pick<EmittedWasm, 'wat' | 'layout' | 'entries'> & { wasm: Uint8Array } =
    await run(parseLowered, emitWasm, assemble)
  expect(squeezed(wat)).toContain(squeezed(block('wat')))
  expect(WebAssembly.validate(new Uint8Array(wasm))).toBe(true)
  expect(layout.symbols).toEqual({ n: 64 })
  expect(entries['main']?.buffers.length).toBe(2)
})
