/** @file The lanes of the current vector loop: what differs between them, which are active, and single ones. */
import type { DType } from '@quern/artifact'
import { type Index, type Scalar, ix } from '@quern/core-ir'
import { defect } from '../defect.ts'
import { extractLane, replaceLane, splat } from '../spelling/memory.ts'
import { lanesOf, partsOf } from '../spelling/values.ts'
import { allChildren, mentionsOf } from './analysis.ts'
import type { KernelState, Vector } from './state.ts'

/** A value in every lane: expressions of v128. */
export type Parts = readonly string[]

export const vectorOf = (k: KernelState): Vector => {
  if (k.vector === undefined) throw defect('no vector loop is open')
  return k.vector
}

/** Whether a value may differ between the lanes of the current vector loop. */
export const varies = (k: KernelState, x: Scalar): boolean => {
  if (k.vector === undefined) return false
  if (x.kind === 'ref') return (k.lets.get(x.name)?.lanes ?? 1) > 1
  const known = k.vector.varying.get(x)
  if (known !== undefined) return known
  const found =
    x.kind === 'index'
      ? indexVaries(k, x.index)
      : (x.kind === 'load' && x.indices.some(i => indexVaries(k, i))) || allChildren(x).some(c => varies(k, c))
  k.vector.varying.set(x, found)
  return found
}
export const indexVaries = (k: KernelState, x: Index): boolean =>
  k.vector !== undefined && (mentionsOf([], [x]).variables.has(k.vector.axis) || dataDiffers(k, x))
/** Whether the data inside an index differs between lanes. */
export const dataVaries =
  (k: KernelState) =>
  (x: Index): boolean =>
    dataDiffers(k, x)
const dataDiffers = (k: KernelState, x: Index): boolean => {
  let found = false
  ix.visitAtoms(x, atom => {
    if (atom.kind === 'value' && varies(k, atom.scalar)) found = true
  })
  return found
}

/** Under what the vector of a value is remembered. */
export const laneKey = (extent: number, x: Scalar): string => `lanes ${extent} ${x.key}`

export const laneOf = (d: DType, parts: Parts, lane: number): string =>
  extractLane(d, parts[Math.floor(lane / lanesOf(d))] ?? '', lane % lanesOf(d))

/** A vector value from one scalar a lane. */
export const fromLanes = (k: KernelState, d: DType, lanes: readonly string[]): Parts => {
  const per = lanesOf(d)
  return Array.from({ length: partsOf(d, lanes.length) }, (_, part) => {
    const [first = '', ...rest] = lanes.slice(part * per, (part + 1) * per)
    return rest.reduce((v, x, i) => replaceLane(d, v, i + 1, x), splat(d, first))
  }).map(p => k.hold(p, 'v128'))
}

/** Whether any lane of a mask is set; of two lanes, what lies above them is not looked at. */
export const anyTrue = (masks: Parts, extent: number): string =>
  extent === 2
    ? `(i64.ne (i64x2.extract_lane 0 ${masks[0] ?? ''}) (i64.const 0))`
    : `(v128.any_true ${masks.reduce((all, m) => `(v128.or ${all} ${m})`)})`

/** Writes with only those lanes active that the mask (in locals) and the enclosing one name. */
export const withMask = <T>(k: KernelState, mask: Parts, write: (active: Parts) => T): T => {
  const vector = vectorOf(k)
  const outer = vector.mask
  const active = outer === undefined ? mask : mask.map((m, i) => k.hold(`(v128.and ${m} ${outer[i]})`, 'v128'))
  vector.mask = active
  const result = write(active)
  vector.mask = outer
  return result
}
