/** @file What a value is, in a few words, for messages that say what was found. Throws for no value. */

const longest = 40
const cut = (text: string): string => (text.length > longest ? `${text.slice(0, longest - 1)}…` : text)
const shownKeys = 4

const ofObject = (x: object): string => {
  if (Array.isArray(x)) return x.length === 0 ? 'an empty array' : `an array of ${x.length}`
  const { kind } = x as { readonly kind?: unknown }
  if (kind === 'tensor') return 'a tensor'
  if (kind === 'spec') return 'the type of an input'
  if (kind === 'state') return 'a state'
  if (kind === 'dim') return 'a dim'
  if (typeof (x as { readonly then?: unknown }).then === 'function') return 'a promise'
  const own: unknown = Object.getPrototypeOf(x)?.constructor?.name
  if (typeof own === 'string' && own !== 'Object' && own !== '') return `${/^[aeiou]/i.test(own) ? 'an' : 'a'} ${own}`
  const keys = Object.keys(x)
  if (keys.length === 0) return 'an empty object'
  return `an object with ${cut(keys.slice(0, shownKeys).join(', '))}${keys.length > shownKeys ? ', …' : ''}`
}

export const inWords = (x: unknown): string => {
  switch (typeof x) {
    case 'string':
      return JSON.stringify(cut(x))
    case 'bigint':
      return `${cut(String(x))}n`
    case 'function':
      return x.name === '' ? 'a function' : `the function ${cut(x.name)}`
    case 'symbol':
      return 'a symbol'
    case 'object':
      return x === null ? 'null' : ofObject(x)
    case 'number':
      return Object.is(x, -0) ? '0' : String(x)
    default:
      return String(x)
  }
}
