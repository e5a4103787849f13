/** @file Builds the app of `fixtures/loading`: a model with 5 MB of weights, and one whose work threads share. */
import { cpSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import quern from '@quern/vite-plugin'
import { build } from 'vite'

export interface BuiltApp {
  /** The folder to serve. */
  readonly folder: string
  remove(): void
}

/** Each output of the model sums this row over inputs of ones. */
export const weightAt = (row: number, column: number): number => ((row * 7 + column * 3) % 17) / 16 - 0.5

export const buildLoadingApp = async (): Promise<BuiltApp> => {
  const root = realpathSync(mkdtempSync(join(tmpdir(), 'quern-loading-')))
  cpSync(fileURLToPath(new URL('../fixtures/loading', import.meta.url)), root, { recursive: true })
  const shape = [2560, 512] as const
  const values = Float32Array.from({ length: shape[0] * shape[1] }, (_, i) => weightAt(Math.floor(i / 512), i % 512))
  const header = Buffer.from(JSON.stringify({ weight: { dtype: 'F32', shape, data_offsets: [0, values.byteLength] } }))
  const length = Buffer.alloc(8)
  length.writeBigUInt64LE(BigInt(header.length))
  writeFileSync(join(root, 'net.safetensors'), Buffer.concat([length, header, Buffer.from(values.buffer)]))
  const plugins = () => [quern({ targets: ['wasm', 'webgpu'], cache: false })]
  await build({
    root,
    base: './',
    configFile: false,
    logLevel: 'error',
    plugins: plugins(),
    worker: { format: 'es', plugins },
    build: { target: 'es2023', assetsInlineLimit: 0 },
  })
  return { folder: join(root, 'dist'), remove: () => rmSync(root, { recursive: true, force: true }) }
}
