/** @file What names stand for while a kernel is compiled, and how expressions read them. */
import { QuernError } from '@quern/artifact'
import type { ScalarResolver } from '../scalar/evaluate.ts'
import type { ScalarValue } from '../scalar/value.ts'
import type { Machine } from './machine.ts'
import type { Memory } from './memory.ts'

export type Steps = Generator<number, void>
/** Code that holds a barrier is a generator that yields the barrier's statement. */
export type Code =
  | { readonly run: () => void; readonly steps?: undefined }
  | { readonly run?: undefined; readonly steps: () => Steps }

export type Binding =
  | { readonly kind: 'symbol'; readonly value: number }
  | { readonly kind: 'axis' | 'let'; readonly slot: number }
  | { readonly kind: 'buffer'; readonly memory: () => Memory }
export type Scope = ReadonlyMap<string, Binding>

export interface Compiler {
  readonly machine: Machine
  readonly racing: boolean
  /** Local buffers that lanes share and write. */
  readonly lanes: ReadonlySet<string>
  slot(): number
}

export const unreachable = (): never => {
  throw new Error('code with a barrier runs in steps')
}

export const resolver = ({ machine }: Compiler, scope: Scope): ScalarResolver => {
  const find = <K extends Binding['kind']>(name: string, ...kinds: readonly K[]): Extract<Binding, { kind: K }> => {
    const found = scope.get(name)
    const matches = (b: Binding): b is Extract<Binding, { kind: K }> => (kinds as readonly string[]).includes(b.kind)
    if (found !== undefined && matches(found)) return found
    throw new QuernError(
      'loop/unknown-name',
      `${machine.kernel.name} has no ${kinds.join(' or ')} named ${name} here`,
      { name },
    )
  }
  return {
    variable: name => {
      const found = find<'symbol' | 'axis' | 'let'>(name, 'axis', 'symbol')
      if (found.kind === 'symbol') {
        const { value } = found
        return () => value
      }
      const { slot } = found
      return () => machine.current.axes[slot] ?? 0
    },
    ref: name => {
      const { slot } = find<'axis' | 'let'>(name, 'let')
      return () => machine.current.refs[slot] ?? 0
    },
    load: name => {
      const { memory } = find(name, 'buffer')
      return indices => {
        const m = memory()
        const at = m.locate(indices, false)
        if (typeof at !== 'number') return machine.faulted(at, m, indices)
        return readElement(machine, m, at, indices)
      }
    },
  }
}

export const readElement = (machine: Machine, m: Memory, at: number, indices: readonly number[]): ScalarValue => {
  m.log?.read(at, indices)
  m.lanes?.read(at, indices)
  if (!m.isWritten(at)) {
    if (m.log === undefined) return machine.faulted('uninitialised', m, indices)
    machine.readTooEarly(m, indices)
  }
  return m.get(at)
}
