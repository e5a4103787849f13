/**
 * @file Keeps compiled programs on disk. The key holds the bundle (so the model file and everything it imports by path),
 * the packages it imports, the settings and the compiler's own files; an entry lists the hashes of the files read meanwhile.
 */
import { createHash, randomBytes } from 'node:crypto'
import { mkdir, readFile, readdir, rename, rm, stat, utimes, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { deserialize, serialize } from 'node:v8'
import type { Artifact } from '@quern/artifact'
import type { Bundled } from './bundle.ts'
import { hashOfOwnFiles } from './own-files.ts'
import type { CompileSettings, Data, EvaluatedProgram, Failure, NotData } from './types.ts'

export interface Kept {
  readonly programs: readonly EvaluatedProgram[]
  readonly exports: Readonly<Record<string, Data>>
  readonly notData: readonly NotData[]
  readonly unexported: readonly Failure[]
  /** Absolute paths of the files read during evaluation. */
  readonly read: readonly string[]
}

/** An entry on disk: programs without the bytes of their files, which lie beside it. */
interface Stored extends Kept {
  readonly hashes: readonly (readonly [path: string, hash: string])[]
  readonly names: readonly (readonly (readonly string[])[])[]
}

const daysKept = 30
const entryFile = 'entry.bin'
const sha256 = (bytes: Uint8Array | string): string => createHash('sha256').update(bytes).digest('hex')

/** Where a file of the `artifact`th artifact of the `program`th program lies in an evaluation's folder. */
export const fileOf = (folder: string, program: number, artifact: number, file: string): string =>
  join(folder, String(program), String(artifact), file.replace(/[^\w.-]/g, '_'))

export const cacheKey = async (
  bundled: Bundled,
  compile: CompileSettings,
  overrideTargets: boolean,
): Promise<string> => {
  const hash = createHash('sha256')
  const packages = await Promise.all(
    [...bundled.packages].sort().map(async url => [url, await hashOfFile(fileURLToPath(url))]),
  )
  hash.update(
    JSON.stringify([
      bundled.code,
      packages,
      compile,
      overrideTargets,
      await hashOfOwnFiles(Object.values(bundled.own)),
      process.version,
    ]),
  )
  return hash.digest('hex').slice(0, 32)
}

const hashOfFile = async (path: string): Promise<string> => {
  try {
    return sha256(await readFile(path))
  } catch {
    return 'absent'
  }
}

export const readCache = async (
  dir: string,
  key: string,
): Promise<(Kept & { readonly folder: string }) | undefined> => {
  const folder = join(dir, key)
  try {
    const { hashes, names, ...kept } = deserialize(await readFile(join(folder, entryFile))) as Stored
    for (const [path, hash] of hashes) if ((await hashOfFile(path)) !== hash) return undefined
    const programs = await Promise.all(
      kept.programs.map(async (program, p) => ({
        ...program,
        artifacts: await Promise.all(
          program.artifacts.map(async ({ manifest }, a): Promise<Artifact> => {
            const read = (names[p]?.[a] ?? []).map(
              async name => [name, new Uint8Array(await readFile(fileOf(folder, p, a, name)))] as const,
            )
            return { manifest, files: Object.fromEntries(await Promise.all(read)) }
          }),
        ),
      })),
    )
    const now = new Date()
    await utimes(folder, now, now)
    return { ...kept, programs, folder }
  } catch {
    // No entry, or one that an earlier version wrote: both are a miss.
    return undefined
  }
}

export const writeCache = async (dir: string, key: string, kept: Kept): Promise<string> => {
  const folder = join(dir, key)
  const draft = `${folder}.${randomBytes(6).toString('hex')}`
  const stored: Stored = {
    ...kept,
    programs: kept.programs.map(p => ({
      ...p,
      artifacts: p.artifacts.map(({ manifest }) => ({ manifest, files: {} })),
    })),
    hashes: await Promise.all(kept.read.map(async path => [path, await hashOfFile(path)] as const)),
    names: kept.programs.map(p => p.artifacts.map(a => Object.keys(a.files))),
  }
  for (const [p, program] of kept.programs.entries())
    for (const [a, { files }] of program.artifacts.entries())
      for (const [name, bytes] of Object.entries(files)) {
        const path = fileOf(draft, p, a, name)
        await mkdir(dirname(path), { recursive: true })
        await writeFile(path, bytes)
      }
  await mkdir(draft, { recursive: true })
  await writeFile(join(draft, entryFile), serialize(stored))
  // The entry appears whole or not at all; a reader of the old one keeps its open files.
  await rm(folder, { recursive: true, force: true })
  await rename(draft, folder).catch(async () => rm(draft, { recursive: true, force: true }))
  await prune(dir)
  return folder
}

/** Drops entries that nobody used for a month. */
const prune = async (dir: string): Promise<void> => {
  const oldest = Date.now() - daysKept * 24 * 3600 * 1000
  for (const name of await readdir(dir)) {
    const path = join(dir, name)
    const { mtimeMs } = await stat(path).catch(() => ({ mtimeMs: Infinity }))
    if (/^[0-9a-f]{32}/.test(name) && mtimeMs < oldest) await rm(path, { recursive: true, force: true })
  }
}
