/**
 * @file The model files of a build: each is evaluated once for all environments, and again when something it read changed. A change
 * ends an evaluation that runs: what it would come to is out of date, and a loop without an end never comes to anything.
 */
import { resolve } from 'node:path'
import { type EvaluateOptions, type Evaluation, evaluateModelFile, progressInWords } from '@quern/evaluate'

export interface Models {
  get(file: string): Promise<Evaluation>
  /** What a file reads as far as it is known before the file runs: to be watched, so that a change can end the evaluation. */
  reads(file: string): Promise<readonly string[]>
  /** Forgets what depends on a file. */
  changed(file: string): void
  /** The model files that read a file when they last ran, and whether they failed then. */
  dependents(file: string): readonly { readonly file: string; readonly failed: boolean }[]
  /** The evaluation of a file, where it is done. */
  done(file: string): Evaluation | undefined
  /** Notes that what a file came to could not be used. */
  refuse(file: string): void
  /** Ends what runs. */
  close(): void
}

interface Entry {
  readonly evaluation: Promise<Evaluation>
  readonly reads: Promise<readonly string[]>
  /** Ends the evaluation; nothing where it is done. */
  readonly cancel: () => void
  /** While it runs, what it is known to read by now; then all that it read, failed or not. */
  dependencies: readonly string[]
  done: boolean
  /** Files that changed while it ran and was not known to read them. */
  readonly changed: Set<string>
  /** What runs in its place once it was ended. */
  successor?: Promise<Evaluation>
}

export const createModels = (options: () => EvaluateOptions, tell: (message: string) => void): Models => {
  const entries = new Map<string, Entry>()
  /** Kept when an entry is dropped: what a change reaches is asked for after the change. */
  const last = new Map<string, Evaluation>()
  const refused = new Set<string>()

  const start = (file: string): Entry => {
    refused.delete(file)
    const controller = new AbortController()
    let known: (paths: readonly string[]) => void = () => {}
    const reads = new Promise<readonly string[]>(settle => (known = settle))
    const evaluation = evaluateModelFile(file, {
      ...options(),
      signal: controller.signal,
      onProgress: progress => tell(`quern: ${progressInWords(progress)}`),
      onDependencies: paths => {
        entry.dependencies = [...new Set([...entry.dependencies, ...paths])]
        known(paths)
        if (paths.some(p => entry.changed.has(p))) restart(file, entry)
      },
    }).then(result => {
      known(result.dependencies)
      // Whoever waits for an evaluation that was ended gets what came in its place.
      if (entry.successor !== undefined) return entry.successor
      entry.dependencies = result.dependencies
      entry.done = true
      last.set(file, result)
      const stale = result.dependencies.some(d => entry.changed.has(d))
      return stale && entries.get(file) === entry ? start(file).evaluation : result
    })
    const entry: Entry = {
      evaluation,
      reads,
      cancel: () => controller.abort(),
      dependencies: [file, ...(last.get(file)?.dependencies ?? [])],
      done: false,
      changed: new Set(),
    }
    entries.set(file, entry)
    return entry
  }
  const restart = (file: string, entry: Entry): void => {
    if (entries.get(file) !== entry) return
    entry.successor = start(file).evaluation
    entry.cancel()
  }
  const entryOf = (file: string): Entry => entries.get(resolve(file)) ?? start(resolve(file))

  return {
    get: file => entryOf(file).evaluation,
    reads: file => entryOf(file).reads,
    changed: changedFile => {
      const path = resolve(changedFile)
      for (const [file, entry] of entries) {
        const concerned = entry.dependencies.includes(path)
        if (entry.done && concerned) entries.delete(file)
        else if (!entry.done && concerned) restart(file, entry)
        else if (!entry.done) entry.changed.add(path)
      }
    },
    dependents: changedFile => {
      const path = resolve(changedFile)
      return [...last.values()]
        .filter(e => e.dependencies.includes(path))
        .map(({ file, error }) => ({ file, failed: error !== undefined || refused.has(file) }))
    },
    done: file => (entries.get(file)?.done === true ? last.get(file) : undefined),
    refuse: file => void refused.add(file),
    close: () => {
      for (const { cancel } of entries.values()) cancel()
    },
  }
}
