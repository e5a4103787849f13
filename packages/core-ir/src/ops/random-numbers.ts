/** @file What the random ops share: a key, and streams under it. */
import type { TensorType } from '../graph/graph.ts'
import type { AttrSpec, Constraint } from './define-op.ts'

export const keyIsTwoWords: Constraint<{ readonly key: TensorType }, unknown> = {
  id: 'key-is-two-words',
  says: 'key is u32[2]',
  holds: ({ key }, _, context) => key.dtype === 'u32' && key.shape.length === 1 && context.equal(key.shape[0] ?? 0, 2),
}

export const streamAttrs = {
  shape: { kind: 'dims', doc: 'The shape wanted.' },
  stream: { kind: 'int', default: 0, doc: 'Different streams of one key are independent.' },
} as const satisfies Record<string, AttrSpec>
