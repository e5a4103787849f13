/** @file What a stub says of a program is what the manifest says, whatever the program's names are. */
import type { ArtifactParts, Manifest } from '@quern/artifact'
import { expect, it } from 'vitest'
import { programModule } from './stub.ts'

const one = <T>(name: string, value: T): Readonly<Record<string, T>> => ({ [name]: value })
const nasty = ['__proto__', 'constructor', 'a"__proto__":b', '</script>', '\u2028${x}`']

it.each(nasty)('keeps the name %j', name => {
  const entry = { inputs: [{ name, dtype: 'f32', shape: [name], buffer: 0 }], outputs: [], predictedMs: 0 } as const
  const manifest: Manifest = {
    format: 1,
    name,
    target: 'wasm',
    variant: 'simd',
    symbols: one(name, { min: 1 }),
    entries: one(name, entry),
    states: [],
    code: { file: 'm.wasm', bytes: 0, sha256: [] },
    features: [],
    kernels: [name],
  }
  const program = { exportName: 'default', name, kind: 'program', refused: [], stages: [] } as const
  const code = programModule({ ...program, artifacts: [{ manifest, files: {} }] }, () => '""')
  const [, call = ''] = code.split('createModel(')
  const parts = new Function(`return ${call.trim().replace(/\)$/, '')}`)() as { artifacts: readonly ArtifactParts[] }
  const found = parts.artifacts[0]?.manifest
  expect(JSON.stringify(found)).toBe(JSON.stringify(manifest))
  expect(Object.getPrototypeOf(found?.symbols)).toBe(Object.prototype)
})
