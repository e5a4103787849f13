/** @file Tells what the compiler broke by itself from what a model got wrong. */
import { QuernError, isQuernError } from '@quern/artifact'

/** Families of codes that are about the IRs. A model that traced has valid ones, so what breaks them later was done here. */
const ofIRs = new Set(['graph', 'loop', 'plan', 'layout', 'rule', 'internal'])
/** What a generator is given by the steps before it, never by a model. */
const ofGenerators = new Set(['webgpu/kernel-structure', 'webgpu/not-legalised'])

/** An op may be named like a family (`loop`); its constraints name operands or the user's line, where findings name neither. */
const isOurs = ({ code, details }: QuernError): boolean => {
  if (ofGenerators.has(code)) return true
  if (!ofIRs.has(code.slice(0, code.indexOf('/')))) return false
  return details['origin'] === undefined && details['operands'] === undefined
}

/** To be thrown in the place of what a step of the pipeline threw: coded mistakes of the model as they are, anything else as our defect. */
export const asDefect = (error: unknown): unknown => {
  if (isQuernError(error) && !isOurs(error)) return error
  const [said, details] = isQuernError(error)
    ? [error.message, { was: error.code, ...error.details }]
    : [String(error), {}]
  return new QuernError('compiler/defect', `this is a defect of Quern, not of the model: ${said}`, details, error)
}
