/** @file Binds a positional operand list to an op's operand names (`x`, `bias?`, `...parts`). */
import { QuernError } from '@quern/artifact'
import type { AnyOp, Operands } from './define-op.ts'

export const bindOperands = <T>(op: AnyOp, list: readonly (T | undefined)[]): Operands<readonly string[], T> => {
  const bound: Record<string, T | readonly T[] | undefined> = {}
  let taken = 0
  for (const name of op.operands) {
    if (name.startsWith('...')) {
      bound[name.slice(3)] = list.slice(taken).filter(x => x !== undefined)
      taken = list.length
    } else if (name.endsWith('?')) bound[name.slice(0, -1)] = list[taken++]
    else {
      const value = list[taken++]
      if (value === undefined)
        throw new QuernError(
          `${op.name}/missing-operand`,
          `${op.name} needs the operand ${name}; it takes ${op.operands.join(', ')}`,
          { op: op.name, operand: name },
        )
      bound[name] = value
    }
  }
  if (taken < list.length)
    throw new QuernError(
      `${op.name}/too-many-operands`,
      `${op.name} takes ${op.operands.join(', ')}, and was given ${list.length} operands`,
      { op: op.name },
    )
  return bound as Operands<readonly string[], T>
}
