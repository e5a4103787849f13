/** @file Random cases of every op but control flow and regions, with what their references say. */
import { contractionCases } from './contractions.cases.ts'
import type { Property } from './draw.ts'
import { elementwiseCases } from './elementwise.cases.ts'
import { movementCases } from './movement.cases.ts'
import { reductionCases } from './reductions.cases.ts'

export const randomCases: Readonly<Record<string, Property>> = {
  ...elementwiseCases,
  ...movementCases,
  ...reductionCases,
  ...contractionCases,
}
