/** @file What the plugin uses of a bundler: the part of the plugin interface that Rollup, Rolldown and Vite have in common. */

export interface ResolvedId {
  readonly id: string
  readonly external?: boolean | 'absolute' | 'relative'
}

export interface ReportedError {
  readonly name: string
  readonly message: string
  readonly stack: string
  readonly id?: string
  readonly frame?: string
  readonly loc?: { readonly file: string; readonly line: number; readonly column: number }
}

export interface HookContext {
  addWatchFile(file: string): void
  emitFile(
    file:
      | { type: 'asset'; name?: string; fileName?: string; source: Uint8Array }
      | { type: 'chunk'; id: string; name: string },
  ): string
  getFileName(reference: string): string
  error(error: ReportedError): never
  warn(message: string): void
  resolve(source: string, importer?: string, options?: { skipSelf?: boolean }): Promise<ResolvedId | null>
}

export interface TransformContext extends HookContext {
  parse(code: string): { readonly body: readonly unknown[] }
  getCombinedSourcemap(): object
}

export interface LoadedModule {
  readonly code: string
  readonly map: { readonly mappings: '' }
  readonly moduleSideEffects: false
  /** For Rolldown, which would take the type from the file's extension. */
  readonly moduleType: 'js'
}

export interface TransformedModule {
  readonly code: string
  readonly map: null
}

export interface ResolveFileUrlArgs {
  readonly referenceId: string | null
  readonly relativePath: string
  readonly fileName: string
  readonly format: string
}

export type OutputFiles = Readonly<
  Record<
    string,
    | { readonly type: 'chunk'; readonly code: string; readonly fileName: string }
    | { readonly type: 'asset'; readonly source: string | Uint8Array; readonly fileName: string }
  >
>
