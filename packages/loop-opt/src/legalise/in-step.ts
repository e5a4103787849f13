/**
 * @file Vectors in step: where a vector loop stands for several vectors, each operation becomes a statement of its own, so that
 * code does it for all of them before the next. Runs last, on expanded and contracted kernels.
 */
import { bytesOf } from '@quern/artifact'
import { type Kernel, type Scalar, type Stmt, ix, mapParts, scalar as sc } from '@quern/core-ir'
import { dtypesIn, editStmts, freshName, namesOf } from '../schedule/tree.ts'

/**
 *     for vector i < 16: store y[i] = a[i] * b + c   →   for vector i < 16: let mul = a[i] * b; store y[i] = mul + c
 *
 * A long chain of dependent operations leaves a processor waiting; those of other vectors stand next in the code then, where it
 * looks for work first, and constants are fetched once for all of them. What generators spell as one instruction stays whole.
 */
export const stepByStep = (kernel: Kernel): Kernel => {
  const taken = namesOf(kernel)
  const body = editStmts(kernel.body, s => {
    if (s.kind !== 'for' || s.tag !== 'vector' || !ix.isConst(s.extent)) return undefined
    const lanes = dtypesIn(s.body).some(d => bytesOf[d] === 8) ? 2 : 4
    return s.extent.value <= lanes ? undefined : [{ ...s, body: steps(s.body, taken) }]
  })
  return body === kernel.body ? kernel : { ...kernel, body }
}

const steps = (stmts: readonly Stmt[], taken: Set<string>): readonly Stmt[] =>
  stmts.flatMap((s): readonly Stmt[] => {
    const before: Stmt[] = []
    const named = new Map<string, Scalar>()
    const name = (x: Scalar): Scalar => {
      if (!isStep(x)) return parts(x)
      const known = named.get(x.key)
      if (known !== undefined) return known
      const value = parts(x)
      const fresh = freshName(taken, hintOf(x))
      before.push({ kind: 'let', name: fresh, value })
      const made = sc.ref(fresh, x.dtype)
      named.set(x.key, made)
      return made
    }
    const parts = (x: Scalar): Scalar => (x.kind === 'load' ? x : mapParts(x, name, i => i))
    switch (s.kind) {
      case 'let':
      case 'store':
      case 'accumulate': {
        const value = parts(s.value)
        return [...before, { ...s, value }]
      }
      case 'if': {
        const condition = parts(s.condition)
        return [...before, { ...s, condition, then: steps(s.then, taken), else: steps(s.else, taken) }]
      }
      default:
        return [s]
    }
  })

/** Conditions are spelled together with what they choose, and bits of a float cost nothing. */
const isStep = (x: Scalar): boolean => {
  switch (x.kind) {
    case 'unary':
    case 'binary':
    case 'select':
    case 'intrinsic':
    case 'cast':
      return x.dtype !== 'bool'
    default:
      return false
  }
}

const hintOf = (x: Scalar): string =>
  x.kind === 'unary' || x.kind === 'binary' ? x.op : x.kind === 'intrinsic' ? x.name : x.kind
