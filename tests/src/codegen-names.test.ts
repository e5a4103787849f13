/** @file Generators know loops and scalars, not ops: no graph op's name occurs in their sources, except where it is a scalar op's too. */
import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { binaryOps, ops, unaryOps } from '@quern/core-ir'
import { describe, expect, it } from 'vitest'

/** Words of the loop language and of the targets that an op happens to share. */
const shared = new Set<string>([
  ...Object.keys(unaryOps),
  ...Object.keys(binaryOps),
  'select',
  'cast',
  'constant',
  'if',
  'loop',
])
const names = [...ops.keys()].filter(name => !shared.has(name))

describe.each(['codegen-wasm', 'codegen-wgsl'])('%s', name => {
  const folder = fileURLToPath(new URL(`../../packages/${name}/src`, import.meta.url))
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter(
    f => f.endsWith('.ts') && !/\.test\.ts$|testing/.test(f),
  )
  it('names no graph op', () => {
    expect(files.length).toBeGreaterThan(5)
    expect(names.length).toBeGreaterThan(40)
    for (const file of files) {
      const text = readFileSync(join(folder, file), 'utf8')
      for (const op of names) expect(new RegExp(`['"\`]${op}['"\`]`).test(text), `${file} names ${op}`).toBe(false)
    }
  })
})
