/**
 * @file What a page, a worker and Node all have, and the ES library of TypeScript lacks. The packages up to the compiler
 * are built against this and nothing else, so neither the DOM nor Node can slip in.
 */

interface Console {
  debug(...data: unknown[]): void
  error(...data: unknown[]): void
  info(...data: unknown[]): void
  log(...data: unknown[]): void
  warn(...data: unknown[]): void
}
declare var console: Console

interface URL {
  readonly hash: string
  readonly host: string
  readonly hostname: string
  readonly href: string
  readonly origin: string
  readonly pathname: string
  readonly protocol: string
  readonly search: string
  toString(): string
}
declare var URL: {
  prototype: URL
  new (url: string | URL, base?: string | URL): URL
}

interface ImportMeta {
  readonly url: string
}

interface TextEncoder {
  encode(input?: string): Uint8Array<ArrayBuffer>
}
declare var TextEncoder: { prototype: TextEncoder; new (): TextEncoder }

interface TextDecoder {
  decode(input?: ArrayBuffer | ArrayBufferView): string
}
declare var TextDecoder: {
  prototype: TextDecoder
  new (label?: string, options?: { fatal?: boolean; ignoreBOM?: boolean }): TextDecoder
}

interface AbortSignal {
  readonly aborted: boolean
  readonly reason: unknown
  addEventListener(type: 'abort', listener: () => void, options?: { once?: boolean }): void
  removeEventListener(type: 'abort', listener: () => void): void
  throwIfAborted(): void
}
declare var AbortSignal: { prototype: AbortSignal }

interface Performance {
  now(): number
}
declare var performance: Performance

interface SubtleCrypto {
  digest(algorithm: 'SHA-256', data: ArrayBuffer | ArrayBufferView<ArrayBuffer>): Promise<ArrayBuffer>
}
declare var crypto: { readonly subtle: SubtleCrypto }

declare function structuredClone<T>(value: T): T
declare function queueMicrotask(callback: () => void): void
declare function setTimeout(callback: () => void, ms?: number): unknown
declare function clearTimeout(id: unknown): void

declare namespace WebAssembly {
  interface Module {}
  interface Memory {
    readonly buffer: ArrayBuffer
    grow(pages: number): number
  }
  interface Instance {
    readonly exports: Record<string, unknown>
  }
  var Module: { prototype: Module; new (bytes: ArrayBuffer | ArrayBufferView<ArrayBuffer>): Module }
  var Memory: {
    prototype: Memory
    new (descriptor: { initial: number; maximum?: number; shared?: boolean }): Memory
  }
  var Instance: { prototype: Instance; new (module: Module, imports?: object): Instance }
  function validate(bytes: ArrayBuffer | ArrayBufferView<ArrayBuffer>): boolean
  function compile(bytes: ArrayBuffer | ArrayBufferView<ArrayBuffer>): Promise<Module>
  function instantiate(module: Module, imports?: object): Promise<Instance>
}
