/** @file Which models a piece of code makes: whoever runs a model file finds the one that it forgot to export. */
import type { Span } from '@quern/core-ir'
import { currentOrigin } from './origin.ts'

export interface Made {
  readonly model: object
  /** The line that made it, where it is known. */
  readonly origin: Span | undefined
}

/** On the global object: a model file may hold another copy of this package than whoever runs it. */
const collection = Symbol.for('quern.models-made')
type Realm = { [collection]?: Made[] }

/** Lists a model that was just made, where anyone asks. */
export const noteMade = (model: object): void => {
  ;(globalThis as Realm)[collection]?.push({ model, origin: currentOrigin() })
}

/** Runs `work`, and adds to `made` the models that are made meanwhile. */
export const collectMade = async <T>(made: Made[], work: () => Promise<T>): Promise<T> => {
  const realm = globalThis as Realm
  realm[collection] = made
  try {
    return await work()
  } finally {
    delete realm[collection]
  }
}
