/** @file The model files of a build: each is evaluated once for all environments, and again when something it read changed. */
import { resolve } from 'node:path'
import { type EvaluateOptions, type Evaluation, evaluateModelFile } from '@quern/evaluate'

export interface Models {
  get(file: string): Promise<Evaluation>
  /** Forgets what depends on a file. */
  changed(file: string): void
  /** The model files that read a file when they last ran, and whether they failed then. */
  dependents(file: string): readonly { readonly file: string; readonly failed: boolean }[]
}

interface Entry {
  readonly evaluation: Promise<Evaluation>
  /** Known once the evaluation is done, failed or not. */
  dependencies: readonly string[] | undefined
}

export const createModels = (options: () => EvaluateOptions): Models => {
  const entries = new Map<string, Entry>()
  /** Kept when an entry is dropped: what a change reaches is asked for after the change. */
  const last = new Map<string, Evaluation>()
  /** Files that changed while evaluations whose dependencies are unknown were running. */
  const changedMeanwhile = new Set<string>()

  const start = (file: string): Entry => {
    const evaluation = evaluateModelFile(file, options()).then(result => {
      entry.dependencies = result.dependencies
      last.set(file, result)
      const stale = result.dependencies.some(d => changedMeanwhile.has(d))
      if ([...entries.values()].every(e => e.dependencies !== undefined)) changedMeanwhile.clear()
      if (!stale || entries.get(file) !== entry) return result
      entries.delete(file)
      return get(file)
    })
    const entry: Entry = { evaluation, dependencies: undefined }
    entries.set(file, entry)
    return entry
  }
  const get = (file: string): Promise<Evaluation> => (entries.get(file) ?? start(file)).evaluation

  return {
    get: file => get(resolve(file)),
    changed: changedFile => {
      const path = resolve(changedFile)
      for (const [file, { dependencies }] of entries) {
        if (dependencies === undefined) changedMeanwhile.add(path)
        else if (dependencies.includes(path)) entries.delete(file)
      }
    },
    dependents: changedFile => {
      const path = resolve(changedFile)
      return [...last.values()]
        .filter(e => e.dependencies.includes(path))
        .map(({ file, error, notData }) => ({ file, failed: error !== undefined || notData.length > 0 }))
    },
  }
}
